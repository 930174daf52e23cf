"""Reads what /metrics tells."""

from prometheus_client.parser import text_string_to_metric_families


def values(text: bytes | str, name: str) -> dict[tuple[str, ...], float]:
    """The samples of this name, by the values of their labels in the order of the labels' names."""
    words = text if isinstance(text, str) else text.decode()
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for family in text_string_to_metric_families(words)
        for sample in family.samples
        if sample.name == name
    }


def value(text: bytes | str, name: str, *labels: str) -> float:
    """One of them; 0 if nothing was counted."""
    return values(text, name).get(labels, 0.0)
