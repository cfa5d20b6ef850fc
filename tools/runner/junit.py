# SPDX-License-Identifier: MIT
"""junit.xml for continuous integration systems, from report.json's document alone."""

import xml.etree.ElementTree as ElementTree

from .report import twin

ELEMENT = {"SKIP": "skipped", "WEAK": "failure", "FAIL": "failure", "ERROR": "error"}


def render(report: dict) -> bytes:
    """One case per planned test; those that a crash or a cut left without a record are errors."""
    name = f"crossmod twin {twin(report)}" if twin(report) else "crossmod"
    suite = ElementTree.Element("testsuite", name=name, id=report["run"])
    counts = {"failure": 0, "error": 0, "skipped": 0}

    def case(name: str, milliseconds: int, element: str | None, message: str) -> None:
        group, _, test = name.partition("/")
        node = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"crossmod.{group}",
            name=test or name,
            time=f"{milliseconds / 1000:.3f}",
        )
        if element:
            counts[element] += 1
            ElementTree.SubElement(node, element, message=_printable(message))

    recorded = set()
    for test in report["tests"]:
        recorded.add(test["name"])
        case(
            test["name"],
            test["ms"],
            None if test["verdict"] == "PASS" else ELEMENT.get(test["verdict"], "error"),
            f"{test['verdict']}: {test['reason']}",
        )
    planned = report["plan"]["tests"] if report["plan"] else []
    missing = [str(name) for name in planned if name not in recorded]
    for name in missing:
        case(name, 0, "error", f"no record: {report['verdict']}: {report['reason']}")
    if not recorded and not missing:
        case(
            "run/boot",
            0,
            None if report["exit_code"] == 0 else "error",
            f"{report['verdict']}: {report['reason']}",
        )

    suite.set("tests", str(len(suite)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    suite.set("time", str(report["emulation"]["seconds"]))
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    """XML has no form for most control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)
