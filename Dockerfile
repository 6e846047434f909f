# One image for every process of docker-compose.yml; the command says which one it is.

FROM python:3.11-slim AS build
WORKDIR /srv
RUN python -m venv /opt/strongbox
COPY requirements.lock requirements-dev.lock ./
RUN /opt/strongbox/bin/pip install --no-cache-dir --only-binary :all: -r requirements.lock
# Of docker-compose.yml's image: what the private chain makes its blocks with. No service has a use for it.
ARG EVM=""
RUN test -z "$EVM" || \
    /opt/strongbox/bin/pip install --no-cache-dir --only-binary :all: --constraint requirements-dev.lock "$EVM"
COPY pyproject.toml README.md ./
COPY app ./app
COPY consumers ./consumers
COPY mock_gateway ./mock_gateway
COPY migrations ./migrations
# Editable: the migrations are read beside the code.
RUN /opt/strongbox/bin/pip install --no-cache-dir --no-deps --editable . && \
    /opt/strongbox/bin/pip uninstall --yes --quiet setuptools pip
# Nothing may be written where it runs: compiled here, once, or else anew at each start and probe.
RUN /opt/strongbox/bin/python -m compileall -q app consumers mock_gateway

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /srv strongbox && \
    install --directory --owner strongbox /var/lib/strongbox
COPY --from=build /opt/strongbox /opt/strongbox
COPY --from=build /srv /srv
WORKDIR /srv
ENV PATH=/opt/strongbox/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEARTBEAT_DIR=/tmp \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    HTTP_HOST=0.0.0.0
USER strongbox
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=5 \
    CMD ["python", "-m", "app.main.local.probe", "http://127.0.0.1:8080/readyz"]
CMD ["strongbox", "api"]
