"""The program that scripts/generate runs: writes the generated files of the client."""

from scripts.generator import CLIENT, NAMES, generate

for name in NAMES:
    (CLIENT / f"{name}.py").write_text(generate(name))
