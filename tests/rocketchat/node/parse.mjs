// Reads messages as Rocket.Chat's clients do: a line of JSON in, a list of texts; a line out, their trees.
import { createInterface } from "node:readline";
import { parse as newest } from "@rocket.chat/message-parser";
import old from "message-parser-of-6";

const everything = {
  colors: true,
  emoticons: true,
  katex: { dollarSyntax: true, parenthesisSyntax: true },
  customDomains: ["intranet", "example"],
};

for await (const line of createInterface({ input: process.stdin })) {
  const trees = JSON.parse(line).map((text) => [newest, old.parse].map((read) => read(text, everything)));
  process.stdout.write(JSON.stringify(trees) + "\n");
}
