import { changedFields, language } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { between, choice, count, flag, id, list, object, text, time, whole } from './schema.ts'

const ticket = { ticket_id: id('tkt_501') }
const ticketDetails = { requester_id: id('cus_204'), assignee_id: id('usr_12') }
const priority = choice('low', 'normal', 'high', 'urgent')
const conversation = { conversation_id: id('cnv_14') }
const chatChannel = choice('web-chat', 'whatsapp', 'sms', 'social', 'email')
const survey = { survey_id: id('srv_nps') }
const review = { review_id: id('rvw_6'), product_id: id('prd_77') }
const rating = between(1, 5, 4)

export const support = defineDomain('support', 'Help and opinion: tickets, conversations, surveys, reviews.', {
  'ticket.created': {
    description: 'Somebody asked for help and the request got a number.',
    required: {
      ...ticket,
      subject: text('A mug is broken'),
      channel: choice('email', 'form', 'chat', 'phone', 'api'),
      created_at: time(),
    },
    optional: { ...ticketDetails, priority, order_id: id('ord_1042'), tags: list(text('damage')), language },
  },
  'ticket.updated': {
    description: 'The subject, priority or another member of a ticket was changed.',
    required: { ...ticket, changed_fields: changedFields, updated_at: time() },
    optional: { ...ticketDetails, priority },
  },
  'ticket.assigned': {
    description: 'A ticket was given to a person or a team.',
    required: { ...ticket, assigned_at: time() },
    optional: { assignee_id: id('usr_12'), team_id: id('tem_2'), previous_assignee_id: id('usr_9') },
  },
  'ticket.replied': {
    description: 'Somebody wrote an answer in a ticket.',
    required: { ...ticket, reply_id: id('rpl_4'), author: choice('requester', 'agent', 'system') },
    optional: { ...ticketDetails, is_first_answer: flag(), is_internal: flag(false), replied_at: time() },
  },
  'ticket.escalated': {
    description: 'A ticket went to people who know more or decide more.',
    required: { ...ticket, level: count(2, 1), reason: text('Needs a refund above the limit.') },
    optional: { ...ticketDetails, team_id: id('tem_3'), escalated_at: time() },
  },
  'ticket.breached_sla': {
    description: 'A ticket was not answered or solved in the time that was promised.',
    required: { ...ticket, target: choice('first-answer', 'next-answer', 'solution'), due_at: time() },
    optional: { ...ticketDetails, policy: text('gold'), priority },
  },
  'ticket.solved': {
    description: 'An answer to a ticket was found; the requester may still disagree.',
    required: { ...ticket, solved_by: id('usr_12'), solved_at: time('2026-03-15T10:00:00Z') },
    optional: { ...ticketDetails, resolution: text('A new mug was sent.'), minutes_taken: count(1473) },
  },
  'ticket.reopened': {
    description: 'A ticket that was solved is worked on again.',
    required: {
      ...ticket,
      reopened_by: choice('requester', 'agent', 'system'),
      reopened_at: time('2026-03-16T10:00:00Z'),
    },
    optional: { ...ticketDetails, reopen_count: count(1, 1) },
  },
  'ticket.merged': {
    description: 'A ticket was about the same as another and goes on there.',
    required: { ...ticket, into_ticket_id: id('tkt_498') },
    optional: { ...ticketDetails, merged_at: time() },
  },
  'ticket.closed': {
    description: 'A ticket is finished and cannot be answered any more.',
    required: { ...ticket, closed_at: time('2026-03-22T10:00:00Z') },
    optional: { ...ticketDetails, reason: choice('solved', 'no-answer', 'spam', 'duplicate', 'other') },
  },
  'conversation.started': {
    description: 'Somebody began to chat with us, or we with them.',
    required: { ...conversation, channel: chatChannel, started_at: time() },
    optional: {
      contact_id: id('cus_204'),
      visitor_id: id('vis_5c1e'),
      started_by: choice('visitor', 'bot', 'agent'),
      language,
    },
  },
  'conversation.assigned': {
    description: 'A person or a bot took over a chat.',
    required: { ...conversation, to: choice('agent', 'team', 'bot') },
    optional: { assignee_id: id('usr_12'), waited_seconds: count(35), assigned_at: time() },
  },
  'conversation_message.added': {
    description: 'A contact, a person of ours or a bot wrote in a chat.',
    required: {
      ...conversation,
      message_id: id('msg_c9'),
      author: choice('contact', 'agent', 'bot'),
      text: text('Is the blue one in stock?'),
    },
    optional: { author_id: id('cus_204'), added_at: time() },
  },
  'conversation.closed': {
    description: 'A chat came to its end, by a person or for lack of answers.',
    required: { ...conversation, message_count: count(9, 1), closed_at: time('2026-03-14T09:41:00Z') },
    optional: {
      channel: chatChannel,
      closed_by: choice('contact', 'agent', 'bot', 'timeout'),
      ticket_id: id('tkt_501'),
    },
  },
  'conversation.rated': {
    description: 'Somebody said how good the help in a chat was.',
    required: { ...conversation, rating },
    optional: { comment: text('Quick and kind.'), agent_id: id('usr_12'), rated_at: time() },
  },
  'survey.sent': {
    description: 'Somebody was asked to fill in a survey.',
    required: { ...survey, invitation_id: id('siv_3'), channel: choice('email', 'sms', 'in-app', 'link') },
    optional: {
      contact_id: id('cus_204'),
      about: object({ type: text('order'), id: id('ord_1042') }),
      sent_at: time(),
    },
  },
  'survey.completed': {
    description: 'Somebody answered a survey to its end.',
    required: {
      ...survey,
      response_id: id('rsp_7'),
      answers: list(object({ question_id: id('q1'), answer: text('9') })),
      completed_at: time(),
    },
    optional: { contact_id: id('cus_204'), duration_seconds: count(64) },
  },
  'survey.abandoned': {
    description: 'Somebody began to answer a survey and left before its end.',
    required: { ...survey, answered: count(2), asked: count(5, 1) },
    optional: { contact_id: id('cus_204'), last_question_id: id('q2'), abandoned_at: time() },
  },
  'nps.recorded': {
    description: 'Somebody said from 0 to 10 how likely they are to recommend us.',
    required: { score: whole(0, 10, 9), recorded_at: time() },
    optional: { contact_id: id('cus_204'), survey_id: id('srv_nps'), comment: text('I like the glaze.') },
  },
  'review.requested': {
    description: 'A customer was asked to review a product.',
    required: { product_id: id('prd_77'), order_id: id('ord_1042'), requested_at: time('2026-03-25T08:00:00Z') },
    optional: { customer_id: id('cus_204'), channel: choice('email', 'sms', 'in-app') },
  },
  'review.submitted': {
    description: 'A customer reviewed a product; others may not see it yet.',
    required: { ...review, rating, submitted_at: time('2026-03-26T19:00:00Z') },
    optional: {
      customer_id: id('cus_204'),
      title: text('Good mug'),
      body: text('Keeps the tea warm.'),
      is_verified_buyer: flag(),
    },
  },
  'review.published': {
    description: 'Everybody can read a review from now on.',
    required: { ...review, rating, published_at: time('2026-03-27T08:00:00Z') },
    optional: { moderated_by: id('usr_12') },
  },
  'review.rejected': {
    description: 'A review was looked at and will not be shown.',
    required: { ...review, reason: choice('offensive', 'off-topic', 'fake', 'personal-data', 'other') },
    optional: { moderated_by: id('usr_12'), rejected_at: time('2026-03-27T08:00:00Z') },
  },
  'review.answered': {
    description: 'The shop wrote an answer under a review.',
    required: { ...review, answer: text('Thank you!'), answered_at: time('2026-03-28T08:00:00Z') },
    optional: { answered_by: id('usr_12') },
  },
})
