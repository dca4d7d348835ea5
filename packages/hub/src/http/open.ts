import { HubError, defaultWorkspace, problems, toOpenapi, type ErrorCode } from '@sluice/protocol'
import { requirePermission } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import type { Auth } from './auth.ts'
import { isLoopback, type ReadClientAddress } from './client-address.ts'
import { printDocs } from './docs-page.ts'
import { json, jsonText, type HubRequest } from './exchange.ts'
import type { Handlers } from './call.ts'
import { toConsolePath } from './console.ts'
import { escapeHtml, page } from './html.ts'
import type { Metrics } from './metrics.ts'

type OpenRoute =
  | 'getRoot'
  | 'getStatus'
  | 'getHealth'
  | 'getOpenapi'
  | 'getDocs'
  | 'getKeySet'
  | 'getProblem'
  | 'getMetrics'

type Options = {
  readonly context: Context
  readonly auth: Auth
  readonly metrics: Metrics
  readonly clientAddress: ReadClientAddress
  readonly version: string
  readonly publicUrl: string | undefined
}

export function openHandlers({
  context,
  auth,
  metrics,
  clientAddress,
  version,
  publicUrl,
}: Options): Pick<Handlers, OpenRoute> {
  const startedMs = performance.now()
  const links = { message: 'Sluice', version, docs: '/docs', health: '/health' }
  let openapi: string | undefined
  let docs: string | undefined
  return {
    getRoot: ({ request }) =>
      wantsPage(request)
        ? { status: 302, headers: { location: toConsolePath(publicUrl) }, body: null }
        : json(200, links),
    getStatus: () =>
      json(200, { status: 'ok', version, uptime_seconds: Math.floor((performance.now() - startedMs) / 1000) }),
    getHealth: async () => {
      const checks = await checkHealth(context)
      const failing = Object.values(checks).some((check) => check !== 'ok')
      return json(failing ? 503 : 200, { status: failing ? 'failing' : 'ok', checks })
    },
    getOpenapi: () => jsonText(200, (openapi ??= JSON.stringify(toOpenapi(version, publicUrl ?? '/')))),
    getDocs: () => page('Sluice API', (docs ??= printDocs(version))),
    // Of a workspace that does not exist, too: nobody learns which do.
    getKeySet: ({ query }) =>
      json(200, { keys: context.signingKeys.publicJwksOf(query.workspace ?? defaultWorkspace) }),
    getProblem: ({ params }) => {
      if (!isErrorCode(params.code))
        throw new HubError('not-found', `there is no problem "${params.code.slice(0, 100)}"; /docs lists them`)
      const { status, title, help } = problems[params.code]
      return page(
        title,
        `<p class="soft">${status} <code>${params.code}</code></p><h1>${escapeHtml(title)}</h1><p>${escapeHtml(help)}</p><p><a href="/docs">API reference</a></p>`,
      )
    },
    getMetrics: async ({ request }) => {
      if (!isLoopback(clientAddress(request))) requirePermission((await auth.identify(request)).principal, 'read')
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await metrics.print(),
      }
    },
  }
}

function wantsPage(request: HubRequest): boolean {
  return (request.header('accept') ?? '').includes('text/html')
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(problems, text)
}

async function checkHealth({ store }: Context): Promise<Record<string, string>> {
  try {
    return await store.checkHealth()
  } catch {
    return { store: 'does not answer' }
  }
}
