# OpenLDAP's slapd from Debian with the demo's people, started by the same launcher as in the tests. Development only.
#   docker build --file docker/directory.Dockerfile --tag claimbridge-directory .

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY tools/bunyan-silent tools/bunyan-silent
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY libs libs
RUN node node_modules/typescript7/bin/tsc -p tsconfig.build.json

FROM node:24.21.0-bookworm-slim AS directory
# Where the launcher keeps its database; the compose file mounts memory there.
ENV NODE_ENV=production TMPDIR=/run/directory
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ldap-utils slapd \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /run/directory
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/dist/libs/testing dist/libs/testing
COPY docker/seeds/directory.ldif seeds/directory.ldif
USER node
EXPOSE 1389
HEALTHCHECK --interval=2s --timeout=2s --retries=30 CMD ["ldapsearch", "-x", "-H", "ldap://127.0.0.1:1389", "-b", "", "-s", "base"]
# The launcher ends when its standard input does: run it with --interactive (stdin_open in a compose file).
ENTRYPOINT ["node", "dist/libs/testing/src/directory/main.js", "--engine=slapd", "--host=0.0.0.0", "--port=1389", "--ldif=seeds/directory.ldif"]
