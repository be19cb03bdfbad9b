# bbb-bot: dependencies by hash, no root, one volume. Build: docker build -t bbb-bot .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
RUN python -m venv /opt/venv
COPY requirements.lock /src/
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.lock
COPY . /src
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps /src \
 && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bbb-bot" \
      org.opencontainers.image.description="Creates and opens BigBlueButton calls from Matrix rooms and Rocket.Chat channels" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin bbb-bot \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/venv /opt/venv
# PYTHONSAFEPATH: a folder named bot/ where the program is started must never be imported instead.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BBB_BOT_DATA=/data \
    BBB_BOT_LISTEN__HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["bbb-bot", "healthcheck"]
ENTRYPOINT ["bbb-bot"]
CMD ["run"]
