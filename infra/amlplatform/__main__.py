"""`python -m amlplatform`."""

from amlplatform.cli import main

if __name__ == "__main__":
    main()
