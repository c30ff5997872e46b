"""Entry script of parallel steps."""

import argparse

settings = {}


def init():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--model")
    options, _ = parser.parse_known_args()
    settings.update(vars(options))


def run(mini_batch, mini_batch_context):
    return [f"{item} {settings['rate']}" for item in mini_batch]
