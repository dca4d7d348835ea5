import { useEffect, useState } from 'preact/hooks'
import { go, toHref, useAddress } from './address.ts'
import { hub } from './hub.ts'
import { allPages, pages, type PageEntry, type PageModule } from './pages.ts'
import { useSession } from './session.ts'
import { useCommands, useKeyboard } from './ui/commands.ts'
import { Asking } from './ui/dialog.tsx'
import { Mark } from './ui/mark.tsx'
import { Keys, Palette } from './ui/palette.tsx'
import { Broken, Empty, Skeleton } from './ui/states.tsx'
import { toggleTheme } from './ui/theme.ts'
import { Toasts } from './ui/toast.tsx'

/** What stands around every page. */
export function Shell() {
  const { path } = useAddress()
  const [isMenuOpen, setIsMenuOpen] = useState(false)
  const [shown, setShown] = useState<'palette' | 'keys'>()
  const { permissions } = useSession()
  const open = allPages.filter(({ needs }) => permissions.includes(needs))
  useKeyboard(() => setShown('palette'))
  useCommands([
    ...open.map(({ name, title }) => ({ name: `Go to ${title}`, run: () => go(name ? [name] : []) })),
    { name: 'Change between dark and light', run: toggleTheme },
    { name: 'Sign out', run: () => void signOut() },
    { name: 'Show keyboard shortcuts', key: '?', run: () => setShown('keys') },
  ])
  useEffect(() => setIsMenuOpen(false), [path])
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="bar">
        <button
          type="button"
          class="ghost"
          aria-expanded={isMenuOpen}
          aria-controls="rail"
          onClick={() => setIsMenuOpen(!isMenuOpen)}
        >
          Menu
        </button>
        <Mark />
        <b>Sluice</b>
      </header>
      <Rail open={open} isOpen={isMenuOpen} onPalette={() => setShown('palette')} />
      <main id="main" tabIndex={-1}>
        <Outlet open={open} />
      </main>
      {shown === 'palette' && <Palette onClose={() => setShown(undefined)} />}
      {shown === 'keys' && <Keys onClose={() => setShown(undefined)} />}
      <Asking />
      <Toasts />
    </div>
  )
}

async function signOut(): Promise<void> {
  await hub.deleteSession().catch(() => undefined)
  location.assign(toHref([]))
}

type RailProps = { readonly open: readonly PageEntry[]; readonly isOpen: boolean; readonly onPalette: () => void }

function Rail({ open, isOpen, onPalette }: RailProps) {
  const { path } = useAddress()
  const { user_email: email, user_id: id, role, workspace } = useSession()
  return (
    <aside id="rail" class={isOpen ? 'rail open' : 'rail'}>
      <div class="rail-head">
        <Mark />
        <div>
          <b>Sluice</b>
          <span class="soft small">{workspace}</span>
        </div>
      </div>
      <button type="button" class="search-all" onClick={onPalette}>
        <span>Search or do…</span>
        <kbd>Ctrl K</kbd>
      </button>
      <nav aria-label="Pages">
        {pages.map((group, index) => (
          <ul key={index}>
            {group
              .filter((page) => open.includes(page))
              .map(({ name, title }) => (
                <li key={name}>
                  <a href={toHref(name ? [name] : [])} aria-current={(path[0] ?? '') === name ? 'page' : undefined}>
                    {title}
                  </a>
                </li>
              ))}
          </ul>
        ))}
      </nav>
      <div class="rail-foot">
        <div class="who">
          <span title={email ?? id}>{email ?? id}</span>
          <span class="soft small">{role}</span>
        </div>
        <div class="row">
          <button type="button" class="ghost small" onClick={toggleTheme}>
            Dark / light
          </button>
          <button type="button" class="ghost small" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      </div>
    </aside>
  )
}

/** The page that the address names, loaded when it is first shown. */
function Outlet({ open }: { readonly open: readonly PageEntry[] }) {
  const { path } = useAddress()
  const name = path[0] ?? ''
  const entry = open.find((page) => page.name === name)
  const [loaded, setLoaded] = useState<{
    readonly name: string
    readonly module?: PageModule
    readonly failed?: boolean
  }>()
  useEffect(() => {
    if (!entry) return
    let isCurrent = true
    document.title = `${entry.title} · Sluice`
    entry.load().then(
      (module) => isCurrent && setLoaded({ name, module }),
      () => isCurrent && setLoaded({ name, failed: true }),
    )
    return () => void (isCurrent = false)
  }, [name])
  if (!entry) return <NoPage name={name} first={open[0]} />
  if (loaded?.name !== name) return <Skeleton rows={10} />
  if (loaded.module) return <loaded.module.Page />
  const failure = {
    title: 'This page could not be loaded',
    detail: 'The hub may have been renewed since the console was opened, or is not reachable.',
    correlationId: undefined,
  }
  return <Broken failure={failure} retry={() => location.reload()} />
}

function NoPage({ name, first }: { readonly name: string; readonly first: PageEntry | undefined }) {
  const { role } = useSession()
  const entry = allPages.find((page) => page.name === name)
  const reason = entry
    ? `The role ${role} may not look at ${entry.title.toLowerCase()}.`
    : `There is no page "${name}".`
  return (
    <Empty
      title={entry ? 'Not for this role' : 'Nothing here'}
      action={
        first && (
          <a class="button" href={toHref(first.name ? [first.name] : [])}>
            Go to {first.title}
          </a>
        )
      }
    >
      {reason}
    </Empty>
  )
}
