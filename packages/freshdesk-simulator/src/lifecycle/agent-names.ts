import { getObject } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from '../account.ts';

const NAMES = [
  ['Inês', 'Ferreira'],
  ['Tomás', 'Weiß'],
  ['Lea', 'Sommer'],
  ['Omar', 'Haddad'],
  ['Priya', 'Nandan'],
  ['Søren', 'Ødegård'],
  ['Zoë', "O'Neil"],
  ['Yuki', 'Tanaka'],
  ['Amara', 'Okafor'],
  ['Jonas', 'Keller'],
  ['Marta', 'Nowak'],
  ['Nguyễn', 'Văn An'],
  ['Lucía', 'García-López'],
  ['Aisha', 'Rahman'],
  ['Pavel', 'Dvořák'],
  ['Emma', 'Lindqvist'],
  ['Mohamed', 'Hassan'],
  ['Chloé', 'Bernard'],
  ['Daniel', 'Cohen'],
  ['Ivana', 'Horvat'],
  ['Kwame', 'Mensah'],
  ['Sofia', 'Rossi'],
  ['Ethan', 'Brooks'],
  ['Mei', 'Chen'],
  ['Noor', 'de Vries'],
] as const;

/** Gives each agent a different name, so that reports by agent can be read. */
export function nameAgents(account: SimulatedAccount): void {
  const agents = account.getList(getObject('agents'));
  for (let number = 0; number < agents.initialLength; number++) {
    const [first, last] = NAMES[number % NAMES.length] as (typeof NAMES)[number];
    const round = Math.floor(number / NAMES.length);
    const contact = {
      active: true,
      email: `agent${number + 1}@northlamp.example`,
      job_title: null,
      language: 'en',
      last_login_at: null,
      mobile: null,
      name: `${first} ${last}${round === 0 ? '' : ` ${round + 1}`}`,
      phone: null,
      time_zone: 'Berlin',
    };
    account.update('agents', agents.getKey(number), { contact }, agents.getUpdatedAt(number));
  }
}
