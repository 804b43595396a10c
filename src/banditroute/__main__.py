"""`python -m banditroute`: the commands, where the script is not on the path."""

from banditroute.cli import main

if __name__ == "__main__":
    main()
