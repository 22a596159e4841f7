"""``python -m genlevel``."""

from genlevel.cli import main

if __name__ == "__main__":
    main()
