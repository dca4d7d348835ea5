import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { routes } from '@sluice/protocol'
import { readConfig } from '@sluice/hub'
import { parse, parseAllDocuments } from 'yaml'
import { parseDockerfile, textsOf, toVariables } from './dockerfile.ts'

const context = resolve(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(context, path), 'utf8')

const image = parseDockerfile(read('Dockerfile')).at(-1)!
const imageVariables = toVariables(textsOf(image, 'ENV').join(' '))
const uid = Number(textsOf(image, 'USER')[0]?.split(':')[0])
const port = Number(imageVariables['SLUICE_PORT'])

/** The variables that a hub reads, as they stand in the only file that reads the environment. */
const known = new Set([...read('packages/hub/src/config.ts').matchAll(/env\['(\w+)'\]/g)].map(([, name]) => name))
const isKnown = (name: string): boolean => known.has(name) || name === 'NODE_ENV'

const openPaths = Object.values(routes)
  .filter(({ access }) => access === 'open')
  .map(({ path }) => path as string)

type Compose = {
  services: Record<
    string,
    {
      image: string
      environment?: Record<string, string>
      ports?: string[]
      volumes?: string[]
      depends_on?: Record<string, { condition: string }>
      healthcheck?: object
      networks: Record<string, { ipv4_address?: string }> | string[]
      read_only?: boolean
      cap_drop?: string[]
      stop_grace_period?: string
    }
  >
}

const compose = parse(read('compose.yaml'), { merge: true }) as Compose
const { postgres, proxy, 'hub-1': one, 'hub-2': two } = compose.services
const hubs = [one!, two!]
const nginx = read('deploy/nginx.conf')

function addressOf(networks: Compose['services'][string]['networks']): string {
  return (Array.isArray(networks) ? undefined : networks['inside']?.ipv4_address) ?? ''
}

test('the image and the manifests name variables that a hub reads', () => {
  const named = [
    ...Object.keys(imageVariables),
    ...hubs.flatMap(({ environment = {} }) => Object.keys(environment)),
    ...container.env.map(({ name }) => name),
    ...[...read('deploy/kubernetes/sluice.yaml').matchAll(/\b(SLUICE_[A-Z_]+|DATABASE_[A-Z_]+)\b/g)].map(
      ([name]) => name,
    ),
  ]
  assert.deepEqual(
    named.filter((name) => !isKnown(name)),
    [],
  )
})

test('the health check of the image asks an open route that says whether the store works', () => {
  const asked = /(\/\w+)`/.exec(textsOf(image, 'HEALTHCHECK')[0] ?? '')?.[1]
  assert.equal(asked, routes.getHealth.path)
})

test('compose: the hubs get the same, and a configuration that they take', () => {
  assert.deepEqual(one?.environment, two?.environment)
  const filled = Object.fromEntries(
    Object.entries({ ...imageVariables, ...one?.environment }).map(([name, value]) => [name, fill(value)]),
  )
  const { database, secretKeys, port: listens, host, trustProxy } = readConfig(filled)
  assert.equal(database?.url, 'postgres://sluice:secret@postgres:5432/sluice')
  assert.deepEqual([secretKeys.length, listens, host], [1, port, '0.0.0.0'])
  assert.deepEqual(trustProxy, [`${addressOf(proxy!.networks)}/32`])
})

const secrets: Readonly<Record<string, string>> = { POSTGRES_PASSWORD: 'secret', SLUICE_SECRET_KEY: '07'.repeat(32) }

/** As Compose fills in variables. */
function fill(text: string): string {
  return text.replaceAll(
    /\$\{(\w+)(?::-([^}]*))?[^}]*\}/g,
    (_, name: string, otherwise = '') => secrets[name] ?? otherwise,
  )
}

test('compose: a secret that is missing stops it, and none has a value in the file', () => {
  const texts = [...hubs, postgres!].flatMap(({ environment = {} }) => Object.values(environment))
  for (const name of Object.keys(secrets)) {
    const uses = texts.filter((text) => text.includes(`\${${name}`))
    assert.ok(uses.length > 0, `${name} is used`)
    for (const text of uses)
      assert.match(text, new RegExp(`\\$\\{${name}:\\?put it into \\.env; openssl rand -hex \\d+ makes one\\}`))
  }
})

test('compose: who needs what waits until it works; hubs write nowhere; only the proxy is reachable, from this machine', () => {
  assert.ok(postgres?.healthcheck)
  for (const hub of hubs) {
    assert.deepEqual(hub.depends_on, { postgres: { condition: 'service_healthy' } })
    assert.deepEqual([hub.read_only, hub.cap_drop, hub.volumes, hub.ports], [true, ['ALL'], undefined, undefined])
    assert.ok(Number.parseInt(hub.stop_grace_period ?? '', 10) > 10, 'a hub may take 10 s to end')
  }
  assert.deepEqual(Object.keys(proxy?.depends_on ?? {}), ['hub-1', 'hub-2'])
  assert.equal(postgres.ports, undefined)
  assert.deepEqual(
    proxy?.ports?.map((text) => fill(text)),
    [`127.0.0.1:8000:${/listen (\d+);/.exec(nginx)?.[1]}`],
  )
  for (const { image: name } of [postgres, proxy!]) assert.match(name, /^[a-z]+:\d/)
})

test('the proxy sends to the hubs of compose, where they listen', () => {
  const servers = [...nginx.matchAll(/^\s+server ([\w-]+):(\d+)/gm)].map(([, name, number]) => [name, Number(number)])
  assert.deepEqual(servers, [
    ['hub-1', port],
    ['hub-2', port],
  ])
})

type Probe = { readonly httpGet: { readonly path: string; readonly port: string } }
type Pod = {
  enableServiceLinks: boolean
  terminationGracePeriodSeconds: number
  securityContext: { runAsNonRoot: boolean }
  containers: {
    args: string[]
    env: { name: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[]
    ports: { name: string; containerPort: number }[]
    startupProbe: Probe
    readinessProbe: Probe
    livenessProbe: Probe
    securityContext: { runAsUser: number; readOnlyRootFilesystem: boolean; allowPrivilegeEscalation: boolean }
  }[]
}
type Deployment = {
  kind: string
  spec: {
    replicas: number
    selector: { matchLabels: object }
    template: { metadata: { labels: object }; spec: Pod }
  }
}
type Service = { kind: string; spec: { selector: object; ports: { targetPort: string }[] } }
type Budget = { kind: string; spec: { minAvailable: number; selector: { matchLabels: object } } }

const documents = parseAllDocuments(read('deploy/kubernetes/sluice.yaml'))
const [deployment, service, budget] = documents.map((document) => document.toJS()) as [Deployment, Service, Budget]
const pod = deployment.spec.template.spec
const container = pod.containers[0]!

test('kubernetes: the parts belong together', () => {
  assert.deepEqual(
    documents.flatMap(({ errors }) => errors),
    [],
  )
  assert.deepEqual([deployment.kind, service.kind, budget.kind], ['Deployment', 'Service', 'PodDisruptionBudget'])
  const { labels } = deployment.spec.template.metadata
  for (const selector of [
    deployment.spec.selector.matchLabels,
    service.spec.selector,
    budget.spec.selector.matchLabels,
  ])
    assert.deepEqual(selector, labels)
  assert.ok(deployment.spec.replicas > budget.spec.minAvailable)
  assert.deepEqual(container.ports, [{ name: service.spec.ports[0]?.targetPort, containerPort: port }])
})

test('kubernetes: probes ask open routes; no restart is hoped to mend a database', () => {
  const { startupProbe, readinessProbe, livenessProbe } = container
  for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
    assert.ok(openPaths.includes(httpGet.path), httpGet.path)
    assert.equal(httpGet.port, container.ports[0]?.name)
  }
  assert.equal(readinessProbe.httpGet.path, routes.getHealth.path)
  assert.equal(livenessProbe.httpGet.path, routes.getStatus.path)
})

test('kubernetes: not root, writes nowhere, secrets by reference, and no variables made of services', () => {
  const { securityContext, env, args } = container
  assert.deepEqual(
    [pod.securityContext.runAsNonRoot, securityContext.runAsUser, securityContext.readOnlyRootFilesystem],
    [true, uid, true],
  )
  assert.equal(securityContext.allowPrivilegeEscalation, false)
  // A service named sluice would set SLUICE_PORT.
  assert.equal(pod.enableServiceLinks, false)
  for (const { name, valueFrom } of env.filter(({ name }) => /KEY|DATABASE/.test(name)))
    assert.equal(valueFrom?.secretKeyRef.name, 'sluice', name)
  const given = { DATABASE_URL: 'postgres://db', SLUICE_SECRET_KEY: secrets['SLUICE_SECRET_KEY'] }
  assert.deepEqual(readConfig(given, { roles: args.at(-1) }).roles, ['http', 'deliver', 'schedule'])
})
