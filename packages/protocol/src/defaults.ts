import type { InboxSettings } from './inbox.ts'

/** The inbox that always exists: it starts at the earliest event and delays retention only once somebody has used it. */
export const defaultInbox = 'default'

/** The settings of an inbox that was made without any. */
export const inboxDefaults: InboxSettings = {
  filter: {},
  start: 'latest',
  owner: null,
  lease_seconds: 30,
  max_attempts: 12,
  retry: { schedule_seconds: [] },
  ordering: 'none',
  on_dead: 'continue',
  action: null,
  push: null,
  on_unknown: 'retry',
}

/** The workspace that always exists. Its administrators are the instance's. */
export const defaultWorkspace = 'default'
