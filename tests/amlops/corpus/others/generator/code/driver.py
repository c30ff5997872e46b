def init():
    pass


def run(mini_batch):
    for path in mini_batch:
        yield path
