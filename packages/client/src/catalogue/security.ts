import { country, device, ipAddress } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, flag, id, list, text, time } from './schema.ts'

const user = { user_id: id('usr_12') }
const origin = { ip_address: ipAddress, country, device, user_agent: text('Mozilla/5.0') }
const factor = choice('totp', 'passkey', 'sms', 'email', 'recovery-code', 'hardware-key')
const apiKey = { api_key_id: id('key_4') }
const alert = { alert_id: id('alr_1') }

export const security = defineDomain('security', 'Logins, secrets and permissions, and what looks wrong about them.', {
  'login.failed': {
    description: 'Somebody tried to sign in and was refused.',
    required: {
      reason: choice('password', 'unknown-user', 'second-factor', 'suspended', 'blocked'),
      failed_at: time(),
      ip_address: ipAddress,
    },
    optional: { ...user, country, device, user_agent: origin.user_agent, attempt: count(3, 1) },
  },
  'login.blocked': {
    description: 'No more tries to sign in are allowed for a time, as there were too many.',
    required: { scope: choice('user', 'ip-address'), attempts: count(10, 1), ends_at: time('2026-03-14T09:41:53Z') },
    optional: { ...user, ...origin },
  },
  'login.challenged': {
    description: 'A sign-in looked unusual, and the user was asked to prove more.',
    required: {
      ...user,
      factor,
      signals: list(choice('new-device', 'new-country', 'impossible-travel', 'leaked-password')),
    },
    optional: { ...origin, passed: flag() },
  },
  'password.changed': {
    description: 'A user has a new password; the old one does not work any more.',
    required: { ...user, changed_at: time() },
    optional: { ...origin, cause: choice('user', 'reset', 'forced'), sessions_ended: count(2) },
  },
  'password_reset.requested': {
    description: 'Somebody asked for a link to set a new password.',
    required: { ...user, request_id: id('prq_1'), expires_at: time('2026-03-14T10:26:53Z') },
    optional: origin,
  },
  'password_reset.completed': {
    description: 'A user set a new password through a link.',
    required: { ...user, request_id: id('prq_1'), completed_at: time() },
    optional: origin,
  },
  'mfa.enabled': {
    description: 'A user needs a second factor to sign in from now on.',
    required: { ...user, factor, enabled_at: time() },
    optional: { is_first_factor: flag(), required_by_policy: flag(false) },
  },
  'mfa.disabled': {
    description: 'A user needs one factor less than before to sign in.',
    required: { ...user, factor, disabled_by: choice('user', 'staff', 'recovery'), disabled_at: time() },
    optional: origin,
  },
  'device.trusted': {
    description: 'A user said that a device is theirs and need not be checked each time.',
    required: { ...user, device_id: id('dev_3'), trust_expires_at: time('2026-04-13T00:00:00Z') },
    optional: origin,
  },
  'api_key.created': {
    description: 'A key was made with which a program can call an API.',
    required: { ...apiKey, created_by: id('usr_12'), scopes: list(text('publish')), created_at: time() },
    optional: { label: text('web shop'), expires_at: time('2027-03-14T00:00:00Z') },
  },
  'api_key.rotated': {
    description: 'A key for programs has a new secret; the old one ends at once or after a time.',
    required: { ...apiKey, rotated_by: id('usr_12'), old_secret_expires_at: time('2026-03-15T09:26:53Z') },
    optional: { label: text('web shop') },
  },
  'api_key.revoked': {
    description: 'A key for programs does not work any more.',
    required: { ...apiKey, reason: choice('unused', 'leaked', 'owner-left', 'replaced', 'other'), revoked_at: time() },
    optional: { revoked_by: id('usr_12'), last_used_at: time('2026-03-10T00:00:00Z') },
  },
  'access.denied': {
    description: 'Somebody who had signed in tried to do what they may not do.',
    required: { ...user, action: text('orders.refund'), resource: text('order/1042') },
    optional: { ...origin, missing_permission: text('refunds:write'), denied_at: time() },
  },
  'security_alert.raised': {
    description: 'Something was noticed that may be an attack.',
    required: {
      ...alert,
      severity: choice('low', 'medium', 'high', 'critical'),
      rule: text('many-downloads'),
      raised_at: time(),
    },
    optional: { ...user, ...origin, summary: text('900 files in one minute.') },
  },
  'security_alert.resolved': {
    description: 'Somebody looked into an alert and finished it.',
    required: { ...alert, outcome: choice('attack', 'mistake', 'false-alarm'), resolved_by: id('usr_1') },
    optional: { note: text('It was the backup.'), resolved_at: time() },
  },
})
