# A hub in a container: docker build -t sluice . && docker run -p 127.0.0.1:8000:8000 -v sluice:/data sluice
# The version of Node is the one that npm ci brings to a checkout; deploy/image.test.ts holds the two together.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/client/package.json packages/client/
COPY packages/sdk/package.json packages/sdk/
COPY packages/hub/package.json packages/hub/
COPY packages/cli/package.json packages/cli/
COPY packages/console/package.json packages/console/
COPY integrations/esauti/package.json integrations/esauti/
COPY integrations/github/package.json integrations/github/
COPY integrations/http/package.json integrations/http/
COPY integrations/people-ai/package.json integrations/people-ai/
COPY integrations/rss/package.json integrations/rss/
COPY integrations/slack/package.json integrations/slack/
# Node is in the image, and the other optional packages are a Postgres for tests.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
COPY packages packages
# Of the console the image has what was built of it.
RUN rm -r packages/console/src

FROM node:24.21.0-bookworm-slim AS console
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/client/package.json packages/client/
COPY packages/sdk/package.json packages/sdk/
COPY packages/hub/package.json packages/hub/
COPY packages/cli/package.json packages/cli/
COPY packages/console/package.json packages/console/
COPY integrations/esauti/package.json integrations/esauti/
COPY integrations/github/package.json integrations/github/
COPY integrations/http/package.json integrations/http/
COPY integrations/people-ai/package.json integrations/people-ai/
COPY integrations/rss/package.json integrations/rss/
COPY integrations/slack/package.json integrations/slack/
RUN npm ci --workspace packages/console --ignore-scripts --no-audit --no-fund
COPY packages packages
RUN node packages/console/prepare.js

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production SLUICE_HOST=0.0.0.0 SLUICE_PORT=8000 SLUICE_DATA=/data
WORKDIR /app
COPY --from=build /app ./
COPY --from=console /app/packages/console/dist packages/console/dist
# For the embedded store. With DATABASE_URL nothing is written there, nor anywhere else: the root file system may be read-only.
RUN install -d -m 0700 -o node -g node /data
VOLUME /data
# `node` as a number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 8000
# For a node that serves HTTP; of others switch it off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SLUICE_PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The hub answers SIGTERM itself and starts no other processes, so that it needs no init in front of it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--disable-sigusr1", "packages/cli/bin/sluice.js"]
CMD ["start"]
