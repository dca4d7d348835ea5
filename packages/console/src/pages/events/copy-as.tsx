import type { Event } from '@sluice/client/admin'
import { hubUrl } from '../../hub.ts'
import { copyText } from '../../ui/copy.tsx'
import { useCommands } from '../../ui/commands.ts'
import { Menu } from '../../ui/menu.tsx'
import { toCurl, toNewEvent, toPython, toTypeScript } from '../../ui/snippets.ts'

/** The event as a program that publishes it again. */
export function CopyAs({ event }: { readonly event: Event }) {
  const sent = toNewEvent(event)
  const entries = [
    { name: 'Copy as curl', run: () => void copyText(toCurl(sent, hubUrl), 'the event as curl') },
    { name: 'Copy as TypeScript', run: () => void copyText(toTypeScript(sent, hubUrl), 'the event as TypeScript') },
    { name: 'Copy as Python', run: () => void copyText(toPython(sent, hubUrl), 'the event as Python') },
    { name: 'Copy as JSON', run: () => void copyText(JSON.stringify(event, null, 2), 'the event as JSON') },
  ]
  useCommands(entries)
  return <Menu label="Copy as…" entries={entries} />
}
