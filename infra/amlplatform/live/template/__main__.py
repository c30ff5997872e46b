from amlplatform.program import run

run()
