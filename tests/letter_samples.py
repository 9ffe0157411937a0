"""The sample papers that the document tests draw, read and measure; docs/samples shows them."""

from cms.services.samples import (
    AGAIN,
    APPEAL,
    COPY,
    HANDOVER,
    INTERIM,
    NOTING,
    REOPENED,
    REPORT,
    SAMPLES,
)

__all__ = ["AGAIN", "APPEAL", "COPY", "HANDOVER", "INTERIM", "NOTING", "REOPENED", "REPORT", "SAMPLES"]
