import { adminRoutes } from './routes/admin-routes.ts'
import { consoleRoutes } from './routes/console-routes.ts'
import { dialectRoutes } from './routes/dialect-routes.ts'
import { eventRoutes } from './routes/event-routes.ts'
import { eventTypeRoutes } from './routes/event-type-routes.ts'
import { integrationRoutes } from './routes/integration-routes.ts'
import { inboxRoutes } from './routes/inbox-routes.ts'
import { mcpRoutes } from './routes/mcp-routes.ts'
import { sourceRoutes } from './routes/source-routes.ts'
import { spendingRoutes } from './routes/spending-routes.ts'
import { triggerRoutes } from './routes/trigger-routes.ts'
import { openRoutes } from './routes/open-routes.ts'
import { scheduleRoutes } from './routes/schedule-routes.ts'

/** The one list of what the hub answers. Server, OpenAPI and tests read it. */
export const routes = {
  ...openRoutes,
  ...consoleRoutes,
  ...eventRoutes,
  ...inboxRoutes,
  ...eventTypeRoutes,
  ...integrationRoutes,
  ...triggerRoutes,
  ...spendingRoutes,
  ...scheduleRoutes,
  ...sourceRoutes,
  ...adminRoutes,
  ...dialectRoutes,
  ...mcpRoutes,
} as const

export type RouteName = keyof typeof routes
