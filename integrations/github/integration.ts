import {
  Integration,
  type ActionFunction,
  type ActionResult,
  type Context,
  type PollFunction,
} from '@sluice/sdk/integration'
import {
  commentOnIssue,
  createIssue,
  createRelease,
  getIssue,
  getRepository,
  listIssues,
  listReleases,
  listRepositories,
  searchIssues,
  updateIssue,
} from './src/actions.ts'
import { createGithub } from './src/client.ts'
import { newIssue, pollIssues, updatedIssue } from './src/issue-triggers.ts'
import { pollReleases } from './src/release-trigger.ts'

const integration = await Integration.load()

/** The inputs have met the schema of config.json when a handler is called. */
const action = <In>(name: string, run: (inputs: In, context: Context) => Promise<ActionResult>): void =>
  integration.action(name, ((inputs, context) => run(inputs as In, context)) satisfies ActionFunction)
const trigger = <In>(name: string, poll: PollFunction<In>): void =>
  integration.pollingTrigger(name, ((inputs, place, context) =>
    poll(inputs as In, place, context)) satisfies PollFunction)

action('list_issues', listIssues)
action('get_issue', getIssue)
action('create_issue', createIssue)
action('update_issue', updateIssue)
action('comment_on_issue', commentOnIssue)
action('list_repositories', listRepositories)
action('get_repository', getRepository)
action('list_releases', listReleases)
action('create_release', createRelease)
action('search_issues', searchIssues)

type IssueInputs = Parameters<typeof pollIssues>[1]
trigger('new_issue', (inputs: IssueInputs, place, context) => pollIssues(newIssue, inputs, place, context))
trigger('updated_issue', (inputs: IssueInputs, place, context) => pollIssues(updatedIssue, inputs, place, context))
trigger('new_release', pollReleases)

type Account = {
  readonly login: string
  readonly id: number
  readonly email: string | null
  readonly avatar_url: string
  readonly company: string | null
}

integration.connectedAccount(async (context) => {
  const account = await createGithub(context).request<Account>('/user')
  const { login: username, id, email, avatar_url, company: organization } = account
  return { username, user_id: String(id), email, avatar_url, organization }
})

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
