"""Write the generated files of the client: scripts/generate."""

from scripts.generator import CLIENT, NAMES, generate

for name in NAMES:
    (CLIENT / f"{name}.py").write_text(generate(name))
