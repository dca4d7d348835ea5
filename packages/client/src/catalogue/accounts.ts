import { changedFields, language, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, flag, id, list, text, time } from './schema.ts'

const user = { user_id: id('usr_12') }
const account = { account_id: id('acc_5') }
const plan = text('team')

export const accounts = defineDomain('account', 'Users of a product and the accounts they share.', {
  'account.opened': {
    description: 'An account was opened, and its owner can begin to use it.',
    required: { ...account, owner_id: id('usr_12'), opened_at: time() },
    optional: { plan, seats: count(5, 1), trial_ends_at: time('2026-03-28T09:26:53Z') },
  },
  'account.upgraded': {
    description: 'An account moved to a plan that holds more.',
    required: { ...account, plan, previous_plan: text('solo') },
    optional: { price: money(4900), effective_at: time() },
  },
  'account.downgraded': {
    description: 'An account moved to a plan that holds less.',
    required: { ...account, plan: text('solo'), previous_plan: plan, effective_at: time() },
    optional: { reason: text('The team got smaller.') },
  },
  'account.suspended': {
    description: 'Nobody can use an account for the time being; its data is kept.',
    required: { ...account, reason: choice('unpaid', 'abuse', 'security', 'owner-request', 'other') },
    optional: { suspended_at: time(), data_deleted_at: time('2026-09-14T00:00:00Z') },
  },
  'account.closed': {
    description: 'An account was closed for good; nobody can use it any more.',
    required: { ...account, closed_by: choice('owner', 'staff', 'system'), closed_at: time() },
    optional: { reason: text('We moved to another tool.'), data_deleted_at: time('2026-04-13T00:00:00Z') },
  },
  'user.invited': {
    description: 'Somebody was asked to join an account and has not answered yet.',
    required: { ...account, invitation_id: id('inv_3'), invited_by: id('usr_12') },
    optional: { role: text('editor'), expires_at: time('2026-03-21T09:26:53Z') },
  },
  'user.signed_up': {
    description: 'Somebody made a login of their own; it may still have to be confirmed.',
    required: { ...user, method: choice('password', 'single-sign-on', 'social', 'magic-link', 'invitation') },
    optional: { account_id: id('acc_5'), signed_up_at: time(), language, referral_code: text('FRIEND-7') },
  },
  'user.activated': {
    description: 'A user confirmed the login and used the product for the first time.',
    required: { ...user, activated_at: time() },
    optional: { account_id: id('acc_5') },
  },
  'user.updated': {
    description: 'A user or somebody in charge changed the profile or the settings of that user.',
    required: { ...user, changed_fields: changedFields, updated_at: time() },
    optional: { updated_by: id('usr_12') },
  },
  'user.signed_in': {
    description: 'A user began a session with a valid login.',
    required: { ...user, method: choice('password', 'single-sign-on', 'social', 'magic-link', 'passkey') },
    optional: { session_id: id('ses_88'), second_factor: flag(), signed_in_at: time() },
  },
  'user.signed_out': {
    description: 'The session of a user ended: left, timed out or revoked.',
    required: { ...user, cause: choice('user', 'timeout', 'revoked') },
    optional: { session_id: id('ses_88'), signed_out_at: time('2026-03-14T17:02:11Z') },
  },
  'user.suspended': {
    description: 'A user may not sign in for the time being.',
    required: { ...user, reason: text('left the company'), suspended_at: time() },
    optional: { suspended_by: id('usr_1'), ends_at: time('2026-04-01T00:00:00Z') },
  },
  'user.reinstated': {
    description: 'A suspended user may sign in again.',
    required: { ...user, reinstated_at: time() },
    optional: { reinstated_by: id('usr_1') },
  },
  'user.deleted': {
    description: 'The login of a user was removed for good.',
    required: { ...user, deleted_at: time() },
    optional: { deleted_by: choice('user', 'staff', 'system'), content_transferred_to: id('usr_1') },
  },
  'user_role.granted': {
    description: 'A user may do more than before: a role was given.',
    required: { ...user, role: text('admin'), granted_by: id('usr_1') },
    optional: { account_id: id('acc_5'), expires_at: time('2026-04-14T00:00:00Z') },
  },
  'user_role.revoked': {
    description: 'A user may do less than before: a role was taken away.',
    required: { ...user, role: text('admin'), revoked_by: id('usr_1') },
    optional: { account_id: id('acc_5'), remaining_roles: list(text('editor')) },
  },
})
