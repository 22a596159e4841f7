# One image for all services: `genlevel gateway`, `genlevel evaluator`, `genlevel scorer`, `genlevel web`, or `genlevel up` for all in one.
FROM python:3.13-slim-trixie AS base
# The embedded model's runtime needs OpenMP.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1=14.* \
    && rm -rf /var/lib/apt/lists/*

FROM base AS build
# What can be left out: "embedded" is the embedded model (half a GB), "bedrock" and "vertex" the credentials of those clouds, "hub" fetches
# General-Bench's open set, "otlp" is traces, "postgres" and "queue" what many machines need, "s3" media in an object store.
ARG EXTRAS=bedrock,embedded,hub,otlp,postgres,queue,s3,vertex
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE NOTICE ./
COPY genlevel genlevel
COPY gateway gateway
COPY evaluator evaluator
COPY scorer scorer
# pip is of no use in there.
RUN python -m venv /opt/genlevel \
    && /opt/genlevel/bin/python -m pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]" \
    && case ",${EXTRAS}," in *,embedded,*) PIP_NO_CACHE_DIR=1 /opt/genlevel/bin/genlevel install-embedded ;; esac \
    && /opt/genlevel/bin/python -m pip uninstall --yes pip

FROM base
LABEL org.opencontainers.image.title="genlevel" \
      org.opencontainers.image.description="Measures how far a multimodal model is a generalist, as a service" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/genlevel/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    GENLEVEL_CACHE=/cache
COPY --from=build /opt/genlevel /opt/genlevel
# What is kept lies below /data and /blobs, so the root file system may be read-only (with a writable /tmp); archives of benchmarks are unpacked
# below /cache. Below /access Compose puts what a first start makes: tokens and passwords, in a volume for each container that needs some.
RUN install --directory --owner=10001 --group=10001 /data /blobs /cache \
    /access/caller /access/database /access/evaluator /access/storage /access/tokens
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/blobs", "/cache"]
EXPOSE 7400 7401 7402 7403 7411 7412 7413
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["genlevel", "health"]
ENTRYPOINT ["genlevel"]
CMD ["up"]
