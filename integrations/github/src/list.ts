import type { FetchOptions } from '@sluice/sdk/integration'
import type { Github, GithubPage } from './client.ts'

/** GitHub gives no more on one page. */
export const largestPage = 100

type ListOptions<Page> = {
  readonly params?: FetchOptions['params']
  /** the most that is wanted */
  readonly limit: number
  readonly itemsOf: (page: Page) => readonly unknown[]
}

/** The first items of a list, over as many pages as it takes. */
export async function listItems<Item, Page = Item[]>(
  github: Github,
  path: string,
  { params, limit, itemsOf }: ListOptions<Page>,
): Promise<{ items: Item[]; first: Page | undefined; more: boolean }> {
  const items: Item[] = []
  let [next, first]: [string | undefined, Page | undefined] = [path, undefined]
  while (next !== undefined && items.length < limit) {
    const isFirst: boolean = next === path
    const page: GithubPage<Page> = await github.page(
      next,
      isFirst ? { params: { ...params, per_page: Math.min(limit, largestPage) } } : {},
    )
    if (!page.changed) break
    first ??= page.data
    items.push(...(itemsOf(page.data) as Item[])) // what the list is of
    next = page.next
  }
  return { items: items.slice(0, limit), first, more: items.length > limit || next !== undefined }
}
