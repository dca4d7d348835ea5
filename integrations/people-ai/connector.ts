import { defineConnector, oauth2ClientCredentials, offsetPages } from '@sluice/sdk/connector'

type Row = Readonly<Record<string, unknown>>

/** Which rows there are, and from where they come. */
const toTables = (activityTypes: readonly string[]): { table: string; path: string; primary_key: string[] }[] => [
  { table: 'activity', path: '/v0/public/activities', primary_key: ['uid'] },
  ...activityTypes.map((type) => ({
    table: type,
    path: `/v0/public/activities/${type}`,
    primary_key: type === 'participants' ? ['uid', 'email'] : ['uid'],
  })),
]

// oxlint-disable-next-line import/no-default-export -- what a folder of a connector exports
export default defineConnector({
  name: 'people_ai',
  configuration: {
    api_key: { type: 'secret', description: 'client id of the API' },
    api_secret: { type: 'secret', description: 'client secret of the API' },
    base_url: { type: 'text', default: 'https://api.people.ai' },
    page_size: { type: 'number', default: '1000', description: 'rows to ask for; the service may give fewer' },
    activity_types: { type: 'list', default: 'participants', description: 'more tables, as participants, meeting' },
  },
  // `<table>_offset`, for each table on its own: where an interrupted sync goes on.
  state: {},
  schema: ({ activity_types: types }) => toTables(types).map(({ table, primary_key }) => ({ table, primary_key })),
  async update({ configuration, state, op, log, http }) {
    const { api_key: clientId, api_secret: clientSecret, base_url: baseUrl, page_size: limit } = configuration
    const tokenUrl = `${baseUrl.replace(/\/+$/, '')}/auth/v1/tokens`
    const api = http({ baseUrl, auth: oauth2ClientCredentials({ tokenUrl, clientId, clientSecret }) })
    const tables = toTables(configuration.activity_types)
    let place: Row = state
    for (const { table, path } of tables) {
      const offset = Number(place[`${table}_offset`] ?? 0)
      for await (const { rows, nextOffset } of offsetPages(api, path, { limit, offset })) {
        for (const row of rows) await op.upsert(table, rename(row))
        place = { ...place, [`${table}_offset`]: nextOffset }
        await op.checkpoint(place)
      }
      log.info(`${table} is complete`)
    }
    // Rows change anywhere in the list, and nothing tells which: the next sync reads all of them again.
    await op.checkpoint(Object.fromEntries(tables.map(({ table }) => [`${table}_offset`, 0])))
  },
})

/** `subject` has another meaning in some destinations: it is `api_subject` in every table. */
function rename({ subject, ...row }: Row): Row {
  return subject === undefined ? row : { ...row, api_subject: subject }
}
