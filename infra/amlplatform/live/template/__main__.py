from amlplatform.environment import run

run()
