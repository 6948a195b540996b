# An image with the commands busware-server and busware. PostgreSQL runs in another container: docker-compose.yml.
FROM python:3.11-slim AS build
COPY . /source
RUN pip install --no-cache-dir --prefix=/installed "/source[server,terminal]"

FROM python:3.11-slim
COPY --from=build /installed /usr/local
USER 10001:10001
EXPOSE 9999 8000
CMD ["busware-server", "--host", "0.0.0.0"]
