# One image for all services: `genlevel gateway`, `genlevel evaluator`, `genlevel scorer`, `genlevel web`, or `genlevel up` for all in one.
FROM python:3.13-slim-trixie AS build
# "embedded" is the embedded model (about 300 MB); "bedrock" and "vertex" are the credentials of those clouds.
ARG EXTRAS=bedrock,embedded,postgres,vertex
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE NOTICE ./
COPY genlevel genlevel
COPY gateway gateway
COPY evaluator evaluator
COPY scorer scorer
RUN python -m venv /opt/genlevel \
    && /opt/genlevel/bin/python -m pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]" \
    && case ",${EXTRAS}," in *,embedded,*) /opt/genlevel/bin/genlevel install-embedded ;; esac

FROM python:3.13-slim-trixie
# The embedded model's runtime needs OpenMP.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1=14.* \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/genlevel/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
COPY --from=build /opt/genlevel /opt/genlevel
# What is kept lies below /data and /blobs, so the root file system may be read-only (with a writable /tmp).
RUN install --directory --owner=10001 --group=10001 /data /blobs
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/blobs"]
EXPOSE 7400 7401 7402 7403 7411 7412 7413
STOPSIGNAL SIGTERM
ENTRYPOINT ["genlevel"]
CMD ["up"]
