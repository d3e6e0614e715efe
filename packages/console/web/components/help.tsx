import { Anchor } from '@mantine/core';
import { getHelpUrl, HELP_TOPICS, type HelpTopic } from './help-topics.ts';
import { Icon } from './icon.tsx';

/** A link to the page of the documentation site that explains a screen. It opens in a new tab. */
export function HelpLink({ topic, subject }: { readonly topic: HelpTopic; readonly subject: string }) {
  return (
    <Anchor className="help-link" href={getHelpUrl(HELP_TOPICS[topic])} target="_blank" rel="noreferrer" size="sm">
      <Icon name="help" size={16} />
      Help<span className="sr-only"> about {subject}, opens in a new tab</span>
    </Anchor>
  );
}
