import type { ComponentType } from 'preact'
import type { Permission } from './session.ts'

export type PageModule = { readonly Page: ComponentType }

/** A page has a folder of its own in `pages/`, and a line here. */
export type PageEntry = {
  /** the first part of the address; empty for the start */
  readonly name: string
  readonly title: string
  /** what a role must be allowed to, to be shown it */
  readonly needs: Permission
  readonly load: () => Promise<PageModule>
}

export const pages: readonly (readonly PageEntry[])[] = [
  [
    { name: '', title: 'Overview', needs: 'inbox-read', load: () => import('./pages/overview/page.tsx') },
    { name: 'events', title: 'Events', needs: 'read', load: () => import('./pages/events/page.tsx') },
    { name: 'inboxes', title: 'Inboxes', needs: 'inbox-read', load: () => import('./pages/inboxes/page.tsx') },
  ],
  [
    {
      name: 'event-types',
      title: 'Event types',
      needs: 'event-types',
      load: () => import('./pages/event-types/page.tsx'),
    },
    { name: 'quarantine', title: 'Quarantine', needs: 'read', load: () => import('./pages/quarantine/page.tsx') },
  ],
  [
    {
      name: 'integrations',
      title: 'Integrations',
      needs: 'act',
      load: () => import('./pages/integrations/page.tsx'),
    },
    { name: 'connections', title: 'Connections', needs: 'act', load: () => import('./pages/connections/page.tsx') },
    { name: 'triggers', title: 'Triggers', needs: 'act', load: () => import('./pages/triggers/page.tsx') },
  ],
  [
    { name: 'keys', title: 'Keys', needs: 'admin', load: () => import('./pages/keys/page.tsx') },
    { name: 'audit', title: 'Audit log', needs: 'admin', load: () => import('./pages/audit/page.tsx') },
    { name: 'system', title: 'System', needs: 'read', load: () => import('./pages/system/page.tsx') },
  ],
]

export const allPages: readonly PageEntry[] = pages.flat()
