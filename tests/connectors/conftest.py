"""Lets pytest explain the suite's assertions as it explains a test's own."""

import pytest

for part in ("memory", "suite", "suite_options", "suite_reading", "suite_troubles", "suite_walks"):
    pytest.register_assert_rewrite(f"tests.connectors.{part}")
