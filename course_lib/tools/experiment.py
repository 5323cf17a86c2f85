"""`python3 -m course_lib experiment NAME …`: run every seed of an experiment and write its record."""

import json

from course_lib.tools import ROOT, Stopped, check_names, environment, parser, versions

RECORDS = ROOT / "assets" / "experiments"


def main(arguments: list[str]) -> int:
    """Record the named experiments again, or a new one for the first time."""
    there = recorded()
    asked = parser("experiment", there)
    asked.add_argument("names", nargs="*", metavar="NAME", help="one of the list above, or several")
    options = asked.parse_args(arguments)
    if not options.names:
        asked.print_help()
        return 0
    if not environment.stamped() and versions.misfits(versions.pins()):
        # a new experiment, without a record, is known to those only who have the packages
        check_names("experiment", "experiment", options.names, there)
    environment.ensure(versions.pins(), ["experiment", *arguments])
    from course_lib.experiments import EXPERIMENTS
    from course_lib.tools.record import make_record

    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    check_names("experiment", "experiment", options.names, known)
    for name in options.names:
        try:
            record = make_record(known[name])
        except KeyboardInterrupt:
            again = "type the same command again, and it starts anew."
            raise Stopped("Stopped. The record is as it was.", again) from None
        print(f"{name}: {len(record.rows)} rows in {record.seconds:.0f} s")
    return 0


def recorded() -> dict[str, str]:
    """The experiments that have a record: name -> its question, and how long all seeds took."""
    found = {}
    for path in sorted(RECORDS.glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            found[path.stem] = f"{record['question']} {record['seconds']:.0f} s"
        except (OSError, ValueError, KeyError, TypeError):
            found[path.stem] = "its record is damaged"
    return found
