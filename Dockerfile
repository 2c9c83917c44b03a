# syntax=docker/dockerfile:1
# One image for all commands and workers. For a GPU (CUDA 12), as in docker-compose.yml:
#   --build-arg ONNXRUNTIME_NODE_INSTALL=cuda12 --build-arg BASE=nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04
ARG BASE=debian:bookworm-slim

# The Node version with which all tests ran.
FROM node:20.20.2-bookworm-slim AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ARG TARGETARCH
# The image runs on other machines too: the default for amd64 is x86-64-v3, not this machine's own instructions.
ARG CXXFLAGS
# "cuda12" fetches ONNX Runtime's CUDA libraries.
ARG ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
RUN if [ "$TARGETARCH" = amd64 ]; then export CXXFLAGS="${CXXFLAGS:--O3 -march=x86-64-v3}"; fi \
 && npm ci --ignore-scripts --no-audit --no-fund && npm rebuild --foreground-scripts
COPY tsconfig.json ./
COPY pipeline pipeline
COPY index index
COPY workers workers
COPY scripts scripts
COPY test test
RUN npm run build && npm prune --omit=dev --ignore-scripts && rm -rf dist/test

FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 cameo && useradd --uid 10001 --gid cameo --create-home cameo \
 && mkdir -p /data /models /scratch && chown cameo:cameo /data /models /scratch
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
ENV NODE_ENV=production CAMEO_ARCHIVE=/data CAMEO_MODELS=/models CAMEO_SCRATCH=/scratch \
    CAMEO_METRICS_HOST=0.0.0.0 CAMEO_METRICS_PORT=9464
USER 10001:10001
WORKDIR /data
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=4 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.CAMEO_METRICS_PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/scripts/cameo.js"]
CMD ["--help"]
