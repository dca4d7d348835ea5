import { createFetchTransport } from './fetch.ts'

/** Looked up at each call, so that a global fetch that is replaced later (by instrumentation) is used. */
export const defaultTransport = createFetchTransport((url, init) => globalThis.fetch(url, init))
