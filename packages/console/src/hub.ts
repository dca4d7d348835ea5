import { ApiError, TransportError, createAdmin, type Admin, type Session } from '@sluice/client/admin'
import { base } from './address.ts'

/** As the hub asks of requests with the console's cookie; see `consoleHeader` of the protocol. */
const consoleField = { 'x-sluice-console': '1' }

const hubUrl = new URL('..', new URL(base, location.origin)).href

let onSignedOut = (): void => undefined

/** Called when an answer says that the session is over. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

async function fetchSigned(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, {
    ...init,
    headers: { ...(init.headers as Record<string, string>), ...consoleField },
  })
  if (response.status === 401) onSignedOut()
  return response
}

/** The hub, asked with the cookie that the browser keeps. */
export const hub: Admin = createAdmin({ baseUrl: hubUrl, fetch: fetchSigned, maxRetries: 1 })

/** @param secret a key, or what stands in a sign-in link */
export function signIn(secret: string): Promise<Session> {
  return createAdmin({
    baseUrl: hubUrl,
    apiKey: secret,
    fetch: (url, init) => fetch(url, init),
    maxRetries: 0,
  }).createSession()
}

export { hubUrl }

/** What went wrong, for people: the title, what to do, and what to find it in the log by. */
export type Failure = { readonly title: string; readonly detail: string; readonly correlationId: string | undefined }

export function toFailure(error: unknown): Failure {
  if (error instanceof ApiError) {
    const { problem, status, requestId } = error
    const faults = problem?.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`) ?? []
    return {
      title: problem?.title ?? `The hub answered ${status}`,
      detail:
        faults.length > 0
          ? faults.join('; ')
          : (problem?.detail ?? 'Something between this page and the hub answered in its place.'),
      correlationId: requestId,
    }
  }
  if (error instanceof TransportError)
    return {
      title: 'The hub does not answer',
      detail: 'Is it running, and reachable from here?',
      correlationId: undefined,
    }
  return {
    title: 'This page failed',
    detail: error instanceof Error ? error.message : String(error),
    correlationId: undefined,
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'
