import type { RequestOptions } from '@sluice/client'
import type { Bytes } from '@sluice/client/rest'
import type {
  Fields,
  Hook,
  Id,
  Item,
  List,
  Report,
  ReportQuery,
  StatsQuery,
  Success,
  Theme,
  Upload,
  Widget,
  WidgetQuery,
} from '../shapes.ts'
import { define, everything, extra, idempotent, one, pagesOf, plain, record, type DeleteParts } from './row.ts'

/** What an instance keeps, counts and can be asked for. */
export const instance = {
  assets: plain('assets', 'asset'),
  categories: plain('categories', 'category'),
  data: define<Widget>()({
    path: 'data',
    items: 'types',
    item: 'data',
    does: [],
    extras: {
      /** by group */
      types: extra<(options?: RequestOptions) => Promise<Fields>>('GET data', {
        answer: record('types'),
      }),
      get: extra<(type: string, query?: WidgetQuery, options?: RequestOptions) => Promise<Widget>>('GET data/{type}', {
        input: 'query',
      }),
    },
  }),
  files: define<Fields>()({
    path: 'files',
    items: 'files',
    item: 'file',
    does: [],
    extras: {
      /** folder is `images` or `assets`; `images.2024` is a folder in it */
      list: extra<(folder: string, options?: RequestOptions) => Promise<readonly (string | Fields)[]>>(
        'GET files/{folder}',
        { answer: { kind: 'items', name: 'files' } },
      ),
      create: extra<(folder: string, file: Upload, options?: RequestOptions) => Promise<Fields>>(
        'POST files/{folder}/new',
        { input: 'upload', answer: record('file') },
      ),
      delete: extra<(folder: string, file: string, options?: RequestOptions) => Promise<Success>>(
        'DELETE files/{folder}/{file}/delete',
        { ...idempotent },
      ),
    },
  }),
  hooks: define<Hook>()({
    path: 'hooks',
    items: 'hooks',
    item: 'hook',
    does: everything,
    extras: {
      /** what a hook can be called for, by name */
      triggers: extra<(options?: RequestOptions) => Promise<Fields>>('GET hooks/triggers', {
        answer: record('triggers'),
      }),
    },
  }),
  points: define<Item>()({
    path: 'points',
    items: 'points',
    item: 'point',
    does: everything,
    extras: {
      actionTypes: extra<(options?: RequestOptions) => Promise<Fields>>('GET points/actions/types', {
        answer: record('pointActionTypes'),
      }),
    },
  }),
  pointTriggers: define<Item>()({
    path: 'points/triggers',
    items: 'triggers',
    item: 'trigger',
    does: everything,
    extras: {
      eventTypes: extra<(options?: RequestOptions) => Promise<Fields>>('GET points/triggers/events/types', {
        answer: record('eventTypes'),
      }),
      deleteEvents: extra<DeleteParts<Item>>('DELETE points/triggers/{id}/events/delete', {
        input: 'ids',
        inputName: 'events',
        answer: one('trigger'),
        ...idempotent,
      }),
    },
  }),
  reports: define<Item>()({
    path: 'reports',
    items: 'reports',
    item: 'report',
    does: ['list'],
    extras: {
      get: extra<(id: Id, query?: ReportQuery, options?: RequestOptions) => Promise<Report>>('GET reports/{id}', {
        input: 'query',
      }),
    },
  }),
  stats: define<Fields>()({
    path: 'stats',
    items: 'stats',
    item: 'stat',
    does: [],
    extras: {
      tables: extra<(options?: RequestOptions) => Promise<readonly string[]>>('GET stats', {
        answer: { kind: 'items', name: 'availableTables' },
      }),
      /** rows of one table */
      list: extra<(table: string, query?: StatsQuery, options?: RequestOptions) => Promise<List<Fields>>>(
        'GET stats/{table}',
        pagesOf('stats'),
      ),
    },
  }),
  themes: define<Theme>()({
    path: 'themes',
    items: 'themes',
    item: 'theme',
    does: [],
    extras: {
      /** by name */
      list: extra<(options?: RequestOptions) => Promise<Readonly<Record<string, Theme>>>>('GET themes', {
        answer: record('themes'),
      }),
      /** the theme as a ZIP file */
      get: extra<(name: string, options?: RequestOptions) => Promise<Bytes>>('GET themes/{name}', {
        answer: { kind: 'bytes' },
      }),
      create: extra<(file: Upload, options?: RequestOptions) => Promise<Success>>('POST themes/new', {
        input: 'upload',
      }),
      delete: extra<(name: string, options?: RequestOptions) => Promise<Success>>('DELETE themes/{name}/delete', {
        ...idempotent,
      }),
    },
  }),
} as const
