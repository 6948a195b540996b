"""Write the generated files of the client, as scripts/generate does."""

from scripts.generator import CLIENT, NAMES, generate

for name in NAMES:
    (CLIENT / f"{name}.py").write_text(generate(name))
