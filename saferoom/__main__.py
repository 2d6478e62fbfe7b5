"""`python -m saferoom`."""

from saferoom.cli import main

if __name__ == "__main__":
    main()
