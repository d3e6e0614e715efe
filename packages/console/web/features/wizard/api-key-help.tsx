import { Anchor, Stack, Text } from '@mantine/core';
import { Card } from '../../components/page.tsx';

/** Explains where to find the API key, with a drawing of Freshdesk's page. */
export function ApiKeyHelp({ subdomain }: { readonly subdomain: string | null }) {
  const profile = subdomain === null ? null : `https://${subdomain}.freshdesk.com/a/profiles/edit`;
  return (
    <Card title="Where is the API key?">
      <Stack gap="sm">
        <ol className="plain">
          <li>
            Sign in to Freshdesk with the agent whose key you want to use. The key of an admin can read all objects.
          </li>
          <li>
            Select your picture in the upper right corner, then <strong>Profile settings</strong>.
          </li>
          <li>
            On the right, select <strong>View API key</strong>, confirm that you are not a robot, and copy the key.
          </li>
        </ol>
        <ProfileDrawing />
        {profile === null ? null : (
          <Anchor href={profile} target="_blank" rel="noreferrer" size="sm">
            Open the profile settings of {subdomain}
          </Anchor>
        )}
        <Text size="sm" c="dimmed">
          No key is shown? An admin must allow API access under Admin → Security. An agent without admin rights can also
          be used: Freshet then reads all objects that this agent may see.
        </Text>
      </Stack>
    </Card>
  );
}

function ProfileDrawing() {
  return (
    <svg
      viewBox="0 0 320 132"
      className="drawing"
      role="img"
      aria-label="Freshdesk: the picture of the agent in the upper right corner leads to Profile settings. The box with the API key is at the right of that page."
    >
      <rect x="0.5" y="0.5" width="319" height="131" rx="8" className="drawing-page" />
      <rect x="0.5" y="0.5" width="319" height="24" rx="8" className="drawing-bar" />
      <circle cx="302" cy="12" r="8" className="drawing-accent" />
      <rect x="238" y="28" width="74" height="18" rx="4" className="drawing-accent-ground" />
      <text x="245" y="40" className="drawing-text">
        Profile settings
      </text>
      <rect x="14" y="40" width="90" height="8" rx="4" className="drawing-line" />
      <rect x="14" y="58" width="150" height="8" rx="4" className="drawing-line" />
      <rect x="14" y="76" width="150" height="8" rx="4" className="drawing-line" />
      <rect x="14" y="94" width="110" height="8" rx="4" className="drawing-line" />
      <rect x="200" y="64" width="108" height="54" rx="6" className="drawing-box" />
      <text x="210" y="80" className="drawing-text">
        Your API key
      </text>
      <rect x="210" y="90" width="74" height="18" rx="4" className="drawing-accent" />
      <text x="218" y="102" className="drawing-text-inverse">
        View API key
      </text>
    </svg>
  );
}
