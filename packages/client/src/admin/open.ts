import type { Call, Request, RequestOptions } from '../request.ts'
import type { Links } from './page.ts'

export type Status = { readonly status: 'ok'; readonly version: string; readonly uptime_seconds: number }
/** Each part by name: `ok`, or what is wrong with it. */
export type Health = { readonly status: 'ok' | 'failing'; readonly checks: Readonly<Record<string, string>> }

/** JSON Web Keys. */
export type KeySet = { readonly keys: readonly Readonly<Record<string, unknown>>[] }

/** Routes that need no key. */
export function createOpenRoutes(request: Request) {
  const get = (path: string): Call => ({ method: 'GET', path, repeatable: true })
  const page = (path: string): Call => ({ ...get(path), headers: { accept: 'text/html, text/plain' }, answer: 'text' })
  return {
    getRoot: (options?: RequestOptions): Promise<Links> => request(get('/'), options),
    getStatus: (options?: RequestOptions): Promise<Status> => request(get('/status'), options),
    /** A hub that is not well answers, too: look at `status`. */
    getHealth: (options?: RequestOptions): Promise<Health> => request({ ...get('/health'), alsoAnswers: 503 }, options),
    getOpenapi: (options?: RequestOptions): Promise<Record<string, unknown>> => request(get('/openapi.json'), options),
    getDocs: (options?: RequestOptions): Promise<string> => request(page('/docs'), options),
    /** Public keys that pushed events are signed with, `v1a`. */
    getKeySet: (query: { workspace?: string } = {}, options?: RequestOptions): Promise<KeySet> =>
      request({ ...get('/.well-known/jwks.json'), query }, options),
    getProblem: (code: string, options?: RequestOptions): Promise<string> =>
      request(page(`/problems/${encodeURIComponent(code)}`), options),
    getMetrics: (options?: RequestOptions): Promise<string> => request(page('/metrics'), options),
  }
}
