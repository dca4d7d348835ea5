import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from '@tanstack/virtual-core'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks'
import type { Pages } from '../hooks/use-pages.ts'
import { follow } from '../address.ts'
import { useCommands } from './commands.ts'
import { Broken, Skeleton } from './states.tsx'

export type Column<Row> = {
  readonly title: string
  /** of the grid: `120px`, `minmax(160px, 2fr)` */
  readonly width: string
  readonly isNumber?: boolean
  /** left out on narrow screens */
  readonly isExtra?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

type Props<Row> = {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly pages: Pages<Row>
  readonly keyOf: (row: Row) => string
  /** the row that is shown beside the list */
  readonly selected?: string | undefined
  /** where a row leads: its first cell is the link, and all of it can be clicked */
  readonly hrefOf?: ((row: Row) => string) | undefined
  readonly empty: ComponentChildren
  /** told when the reader leaves the top, or comes back to it */
  readonly onTop?: ((isTop: boolean) => void) | undefined
}

const rowHeight = 36
/** Rows from the end of what is loaded at which the next page is asked for. */
const aheadRows = 20

/** A list by cursor: rows are made for what is in sight only, and the next page comes while somebody scrolls towards it. */
export function Table<Row>(props: Props<Row>) {
  const { pages, empty } = props
  const { items, isFirst, failure, reload } = pages
  if (failure && items.length === 0) return <Broken failure={failure} retry={reload} />
  if (isFirst) return <Skeleton rows={10} height={rowHeight} />
  if (items.length === 0 && !pages.hasMore) return <>{empty}</>
  return <Filled {...props} />
}

function Filled<Row>(props: Props<Row>) {
  const { label, columns, pages } = props
  const scroller = useRef<HTMLDivElement>(null)
  const widths = (shown: readonly Column<Row>[]): string => shown.map(({ width }) => width).join(' ')
  const style = { '--columns': widths(columns), '--narrow': widths(columns.filter(({ isExtra }) => !isExtra)) }
  const count = pages.hasMore ? -1 : pages.items.length
  return (
    <div class="table" role="table" aria-label={label} aria-rowcount={count} style={style} ref={scroller} tabIndex={0}>
      <div class="tr th" role="row">
        {columns.map(({ title, isNumber, isExtra }) => (
          <span key={title} role="columnheader" class={cellClass(isNumber, isExtra)}>
            {title}
          </span>
        ))}
      </div>
      <Rows {...props} scroller={scroller} />
    </div>
  )
}

const cellClass = (isNumber = false, isExtra = false): string => `${isNumber ? 'number ' : ''}${isExtra ? 'extra' : ''}`

type RowsProps<Row> = Props<Row> & { readonly scroller: { readonly current: HTMLDivElement | null } }

function Rows<Row>({ columns, pages, keyOf, selected, hrefOf, onTop, scroller }: RowsProps<Row>) {
  const { items, hasMore, isLoading, failure, more } = pages
  const virtual = useVirtual(scroller, items.length)
  const [at, setAt] = useState(-1)
  const isTop = (virtual.scrollOffset ?? 0) < rowHeight
  useEffect(() => onTop?.(isTop), [isTop])
  const shown = virtual.getVirtualItems()
  const lastShown = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore && !isLoading && !failure && lastShown >= items.length - aheadRows) more()
  }, [hasMore, isLoading, lastShown, items.length])
  const move = (step: number): void => {
    const next = Math.max(0, Math.min(items.length - 1, at + step))
    setAt(next)
    virtual.scrollToIndex(next)
  }
  const open = (index: number): void => {
    const row = items[index]
    if (row !== undefined && hrefOf) follow(hrefOf(row))
  }
  useCommands([
    { name: 'Next row', key: 'j', run: () => move(1), isHidden: true },
    { name: 'Previous row', key: 'k', run: () => move(-1), isHidden: true },
    { name: 'Open the row', key: 'Enter', run: () => open(at), isHidden: true },
  ])
  return (
    <>
      <div class="tbody" role="rowgroup" style={{ height: `${virtual.getTotalSize()}px` }}>
        {shown.map(({ index, start }) => {
          const row = items[index]
          if (row === undefined) return null
          const key = keyOf(row)
          const look = `tr${index === at ? ' at' : ''}${key === selected ? ' selected' : ''}`
          return (
            <div key={key} role="row" class={look} style={{ transform: `translateY(${start}px)` }}>
              {columns.map(({ title, cell, isNumber, isExtra }, place) => (
                <span key={title} role="cell" class={cellClass(isNumber, isExtra)}>
                  {hrefOf && place === 0 ? (
                    <a class="row-link" href={hrefOf(row)} onClick={() => setAt(index)}>
                      {cell(row)}
                    </a>
                  ) : (
                    cell(row)
                  )}
                </span>
              ))}
            </div>
          )
        })}
      </div>
      <p class="table-end soft small">
        {failure
          ? `${failure.title}. ${failure.detail}`
          : isLoading
            ? 'Loading…'
            : hasMore
              ? ''
              : items.length > 12
                ? 'That is all.'
                : ''}
        {failure && (
          <button type="button" class="ghost small" onClick={more}>
            Try again
          </button>
        )}
      </p>
    </>
  )
}

/** What is in sight of so many rows. */
function useVirtual(
  scroller: { readonly current: HTMLDivElement | null },
  count: number,
): Virtualizer<HTMLDivElement, Element> {
  const [, draw] = useReducer((round: number) => round + 1, 0)
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => draw(0),
  }
  const [virtual] = useState(() => new Virtualizer<HTMLDivElement, Element>(options))
  virtual.setOptions(options)
  useLayoutEffect(() => virtual._didMount(), [])
  useLayoutEffect(() => virtual._willUpdate())
  return virtual
}
