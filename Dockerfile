# The server alone; its database is another container's (docker-compose.yml).
FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml README.md ./
COPY server server
COPY client client
COPY sql sql
RUN pip install --no-cache-dir --editable . && useradd --system busware
USER busware
EXPOSE 9999 8000
CMD ["python", "-m", "server"]
