import { device, failure, phone, sender } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, id, list, text, time, url } from './schema.ts'

const mail = { message_id: id('msg_e71') }
const textMessage = { message_id: id('msg_s18') }
const push = { notification_id: id('ntf_66') }
const chat = { message_id: id('msg_w05') }
const sentFor = { contact_id: id('cus_204'), campaign_id: id('cmp_12'), template_id: id('tpl_3') }
const link = { url: url('https://shop.example/spring'), link_id: id('lnk_2') }
const from = phone('+15145550123')

export const messages = defineDomain('message', 'Messages to people: e-mail, SMS, push notifications, WhatsApp.', {
  'email.queued': {
    description: 'An e-mail was accepted for sending and waits for its turn.',
    required: { ...mail, from: sender, queued_at: time() },
    optional: { ...sentFor, subject: text('Your order is on its way'), send_at: time('2026-03-14T10:00:00Z') },
  },
  'email.sent': {
    description: 'An e-mail left our side on its way to the mail server of the recipient.',
    required: { ...mail, from: sender, subject: text('Your order is on its way'), sent_at: time() },
    optional: { ...sentFor, kind: choice('transactional', 'marketing'), size_bytes: count(24_100) },
  },
  'email.delivered': {
    description: 'The mail server of the recipient took an e-mail.',
    required: { ...mail, delivered_at: time() },
    optional: { ...sentFor, receiving_server: text('mx1.mail.example') },
  },
  'email.deferred': {
    description: 'The mail server of the recipient did not take an e-mail for now; it is tried again.',
    required: { ...mail, attempt: count(1, 1), response: text('451 4.7.1 try again later') },
    optional: { ...sentFor, next_attempt_at: time('2026-03-14T09:41:53Z') },
  },
  'email.bounced': {
    description: 'An e-mail could not be delivered, and no more tries will be made.',
    required: { ...mail, kind: choice('permanent', 'temporary'), bounced_at: time() },
    optional: { ...sentFor, status_code: text('5.1.1'), response: text('550 no such user') },
  },
  'email.dropped': {
    description: 'An e-mail was not sent at all, because the recipient is on a list or the message is not valid.',
    required: { ...mail, reason: choice('bounced-before', 'complained', 'unsubscribed', 'invalid', 'limit') },
    optional: { ...sentFor, dropped_at: time() },
  },
  'email.opened': {
    description: 'The recipient, or a program of theirs, loaded the pictures of an e-mail.',
    required: { ...mail, opened_at: time('2026-03-14T12:10:00Z') },
    optional: { ...sentFor, device, open_count: count(1, 1), opener: choice('person', 'proxy', 'unknown') },
  },
  'email.clicked': {
    description: 'The recipient followed a link in an e-mail.',
    required: { ...mail, url: link.url, clicked_at: time('2026-03-14T12:11:00Z') },
    optional: { ...sentFor, link_id: link.link_id, device },
  },
  'email.replied': {
    description: 'The recipient answered an e-mail with one of their own.',
    required: { ...mail, reply_message_id: id('msg_e90'), replied_at: time('2026-03-14T15:00:00Z') },
    optional: { ...sentFor, kind: choice('person', 'automatic', 'unknown') },
  },
  'email.marked_as_spam': {
    description: 'The recipient told the mail provider that an e-mail was unwanted.',
    required: { ...mail, reported_at: time('2026-03-14T12:12:00Z') },
    optional: { ...sentFor, provider: text('mail.example') },
  },
  'email.unsubscribed': {
    description: 'The recipient does not want e-mails of this kind any more.',
    required: {
      contact_id: id('cus_204'),
      scope: choice('all', 'list', 'campaign'),
      unsubscribed_at: time('2026-03-14T12:13:00Z'),
    },
    optional: {
      ...mail,
      list_id: id('lst_1'),
      campaign_id: id('cmp_12'),
      method: choice('link', 'one-click', 'reply', 'staff'),
    },
  },
  'sms.sent': {
    description: 'An SMS was handed to the carrier that delivers it.',
    required: { ...textMessage, from, segments: count(1, 1), sent_at: time() },
    optional: { ...sentFor, provider: text('smsgate') },
  },
  'sms.delivered': {
    description: 'The phone of the recipient took an SMS.',
    required: { ...textMessage, delivered_at: time() },
    optional: sentFor,
  },
  'sms.failed': {
    description: 'An SMS was given up as not deliverable.',
    required: { ...textMessage, failure, failed_at: time() },
    optional: sentFor,
  },
  'sms.clicked': {
    description: 'The recipient followed a link in an SMS.',
    required: { ...textMessage, ...link },
    optional: { ...sentFor, clicked_at: time('2026-03-14T12:11:00Z') },
  },
  'sms.received': {
    description: 'Somebody sent an SMS to one of our numbers.',
    required: { ...textMessage, to: from, text: text('When do you open?') },
    optional: { contact_id: id('cus_204'), received_at: time() },
  },
  'sms.opted_out': {
    description: 'Somebody does not want SMS from one of our numbers any more.',
    required: { contact_id: id('cus_204'), number: from, opted_out_at: time() },
    optional: { keyword: text('STOP') },
  },
  'push_subscription.created': {
    description: 'Somebody allowed notifications on a device or in a browser.',
    required: { push_subscription_id: id('psh_7'), platform: choice('ios', 'android', 'web'), created_at: time() },
    optional: { contact_id: id('cus_204'), device, app: text('shop-app 4.2') },
  },
  'push_subscription.revoked': {
    description: 'Notifications are not allowed any more on a device or in a browser.',
    required: { push_subscription_id: id('psh_7'), cause: choice('person', 'expired', 'uninstalled') },
    optional: { contact_id: id('cus_204'), revoked_at: time() },
  },
  'push_notification.sent': {
    description: 'A notification was handed to the push service of the platform.',
    required: { ...push, push_subscription_id: id('psh_7'), title: text('Your order has arrived'), sent_at: time() },
    optional: { ...sentFor, url: url('https://shop.example/orders/1042') },
  },
  'push_notification.opened': {
    description: 'Somebody tapped a notification and came to the app or the site.',
    required: { ...push, opened_at: time('2026-03-14T09:31:00Z') },
    optional: { ...sentFor, action: text('track') },
  },
  'push_notification.failed': {
    description: 'The push service did not take a notification.',
    required: { ...push, failure, push_subscription_id: id('psh_7') },
    optional: { ...sentFor, failed_at: time() },
  },
  'whatsapp_message.sent': {
    description: 'A WhatsApp message was handed to WhatsApp.',
    required: { ...chat, from, kind: choice('template', 'text', 'media', 'interactive'), sent_at: time() },
    optional: { ...sentFor, conversation_id: id('cnv_14') },
  },
  'whatsapp_message.delivered': {
    description: 'A WhatsApp message reached the phone of the recipient.',
    required: { ...chat, delivered_at: time() },
    optional: sentFor,
  },
  'whatsapp_message.read': {
    description: 'The recipient saw a WhatsApp message.',
    required: { ...chat, read_at: time('2026-03-14T09:40:00Z') },
    optional: sentFor,
  },
  'whatsapp_message.failed': {
    description: 'WhatsApp could not deliver a message.',
    required: { ...chat, failure },
    optional: { ...sentFor, failed_at: time() },
  },
  'whatsapp_message.received': {
    description: 'Somebody wrote to one of our WhatsApp numbers.',
    required: { ...chat, to: from, kind: choice('text', 'media', 'location', 'reaction', 'button') },
    optional: {
      text: text('Is the blue one in stock?'),
      media_urls: list(url('https://media.example/1.jpg')),
      received_at: time(),
    },
  },
})
