# Everything Defib runs in production: API and worker in one process by default, each alone by another command
# (see docker-compose.yml). Postgres and Temporal are elsewhere: set DATABASE_URL and TEMPORAL_ADDRESS (docs/connections.md).
FROM node:22-bookworm-slim AS build
WORKDIR /defib
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:22-bookworm-slim AS packages
WORKDIR /defib
COPY package.json package-lock.json .npmrc ./
# Temporal's SDK brings its core for five platforms, 25 MB each; only this one's is ever loaded.
RUN npm ci --omit=dev \
 && npm pkg delete devDependencies && npm sbom --sbom-format=cyclonedx > sbom.cdx.json \
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
      ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM node:22-bookworm-slim
# fping opens raw sockets as an ordinary user by this capability. tini is process 1: signals reach node, and no zombie stays.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fping libcap2-bin tini \
 && setcap cap_net_raw+ep "$(command -v fping)" \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /defib
COPY --from=packages /defib/node_modules node_modules
COPY --from=packages /defib/sbom.cdx.json ./
COPY --from=build /defib/dist dist
COPY package.json LICENSE ./
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "--enable-source-maps"]
CMD ["dist/workers/all-in-one.js"]
