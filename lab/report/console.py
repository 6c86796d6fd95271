"""Lines of a VM's console, and what the guest programs print there."""
import re


def read(path):
    """Its lines, without the CR of the serial line."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return [line[:-1] if line.endswith("\r") else line
                for line in file.read().split("\n")]


def figures(lines):
    """LAB-DATA: (scenario, figure, value) in order."""
    for line in lines:
        match = re.fullmatch(r"LAB-DATA ([^ ]+) ([^ ]+) (-?[0-9]+)", line)
        if match:
            yield match[1], match[2], int(match[3])


def samples(lines):
    """LAB-SAMPLE: (scenario, ms since the kill, KiB of the victim, of its cgroup)."""
    for line in lines:
        match = re.fullmatch(r"LAB-SAMPLE ([^ ]+) (-?[0-9]+) (-?[0-9]+) (-?[0-9]+)", line)
        if match:
            yield match[1], int(match[2]), int(match[3]), int(match[4])


def without_time(lines):
    """Lines as they are behind the kernel's time."""
    return [re.sub(r"^\[[^]]*\] ", "", line) for line in lines]


def messages(lines):
    """What guest programs sent through the kernel's log: behind "LAB: "."""
    for line in lines:
        # um.sh leaves out the time
        match = re.match(r"(?:\[[^]]*\] )?LAB: (.*)", line, re.S)
        if match:
            yield match[1]
