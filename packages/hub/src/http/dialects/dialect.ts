import { connectDialect } from '../connect.ts'
import type { HubResponse } from '../exchange.ts'
import { mcpDialect } from '../mcp/mcp.ts'
import { toProblem, type ErrorContext } from '../problem.ts'
import { briteEventsDialect } from './briteevents.ts'
import { esautiDialect } from './esauti.ts'

/** How a foreign client speaks: its addresses, and what it takes for a failure. Requests and results are its handlers'. */
export type Dialect = {
  readonly speaks: (path: string) => boolean
  readonly toError: (error: unknown, context: ErrorContext) => HubResponse
}

const dialects: readonly Dialect[] = [briteEventsDialect, esautiDialect, mcpDialect, connectDialect]

/** A failure in the words of whoever sent the request; also where the address is wrong, for such clients ask no others. */
export function toErrorFor(path: string): typeof toProblem {
  return dialects.find(({ speaks }) => speaks(path))?.toError ?? toProblem
}
