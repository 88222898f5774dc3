"""Keeps the libraries that report the use of themselves to their makers from doing so, in this process and in those that it starts.

Called where the package is imported, so before any of them is loaded:

    onnxruntime (from 1.29) tells Microsoft of each model that it loads, and keeps what it could not tell in a database under ~/.cache;
    openvino, where its converter of models can be imported, tells Google Analytics of each import.

Sources: onnxruntime, core/platform/posix/telemetry_1ds.cc; openvino, tools/ovc/__init__.py. That nothing goes out is proved by
`paring doctor --egress`, which has both engines run and the embedding model prepared.
"""

from __future__ import annotations

import os
import sys
from typing import Final

ENVIRONMENT: Final = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""What onnxruntime, the hub's libraries, and others by agreement (https://consoledonottrack.com), read."""
REPORTER: Final = "openvino_telemetry"
"""OpenVINO does without where this is not to be found."""


def report_nothing() -> None:
    """Set what they read, and have the module that reports not be found; one that is loaded already has reported."""
    os.environ.update(ENVIRONMENT)
    if REPORTER not in sys.modules:
        sys.modules[REPORTER] = None  # type: ignore[assignment]  # Python's own sign for "not to be found"
