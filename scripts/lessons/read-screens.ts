/** The body of a lesson: each `## heading` begins a screen, each directive becomes a block. */
import remarkDirective from 'remark-directive';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { Block, Inline, Screen } from '../../apps/engine/src/protocol/lesson/lesson.ts';
import type { GiveFault } from './fault.ts';

/** A block that names something of the front matter, and the line on which it does. */
export interface Mention {
  readonly kind: 'run' | 'predict' | 'compare' | 'requests' | 'check' | 'reveal' | 'step';
  readonly id: string;
  readonly line: number;
}

export interface ReadScreen {
  readonly screen: Screen;
  readonly mentions: readonly Mention[];
}

interface Place {
  readonly firstLine: number;
  /** The words of the glossary. */
  readonly terms: ReadonlySet<string>;
  readonly give: GiveFault;
}

const parse = (text: string) => unified().use(remarkParse).use(remarkDirective).parse(text);

/** The names of mdast's own kinds. https://github.com/syntax-tree/mdast */
type RootContent = ReturnType<typeof parse>['children'][number];
type PhrasingContent = Extract<RootContent, { type: 'paragraph' }>['children'][number];
type Node = RootContent | Extract<RootContent, { type: 'blockquote' }>['children'][number];

export const readScreens = (text: string, place: Place): readonly ReadScreen[] =>
  new Reader(place).read(parse(text).children);

const KNOWN =
  ':::run, :::predict, :::compare, :::requests, :::check, :::reveal, :::terminal, :step and :term';

class Reader {
  readonly #place: Place;
  #mentions: Mention[] = [];
  /** The run that was asked for last: what `:step` means when it names none. */
  #lastRun: string | null = null;

  constructor(place: Place) {
    this.#place = place;
  }

  read(nodes: readonly RootContent[]): readonly ReadScreen[] {
    const screens: ReadScreen[] = [];
    let current: { title: string; blocks: Block[] } | null = null;
    const finish = (): void => {
      if (current) screens.push({ screen: current, mentions: this.#mentions });
      this.#mentions = [];
    };
    for (const node of nodes) {
      if (node.type === 'heading') {
        if (node.depth !== 2)
          this.#fault(node, 'a screen begins with ##; other headings have no place');
        finish();
        current = { title: plain(node.children), blocks: [] };
      } else if (current) current.blocks.push(...this.#block(node));
      else this.#fault(node, 'the text begins with a screen: ## and its title');
    }
    finish();
    if (screens.length === 0)
      this.#place.give(this.#place.firstLine, 'a lesson needs screens: ## and a title');
    return screens;
  }

  #block(node: Node): readonly Block[] {
    switch (node.type) {
      case 'paragraph':
        return [{ t: 'p', c: this.#inlines(node.children) }];
      case 'code':
        return [{ t: 'code', text: node.value }];
      case 'list':
        return [
          {
            t: 'list',
            ordered: node.ordered === true,
            items: node.children.map((item) => this.#blocks(item.children)),
          },
        ];
      case 'containerDirective':
        return this.#directive(node);
      case 'leafDirective':
        this.#fault(node, `::${node.name} is not known; there are ${KNOWN}`);
        return [];
      case 'html':
        this.#fault(node, 'raw HTML is not allowed in a lesson');
        return [];
      default:
        this.#fault(node, `${node.type} has no place in a lesson`);
        return [];
    }
  }

  #blocks(nodes: readonly Node[]): readonly Block[] {
    return nodes.flatMap((node) => this.#block(node));
  }

  #directive(node: Extract<Node, { type: 'containerDirective' }>): readonly Block[] {
    const { name } = node;
    const attributes = node.attributes ?? {};
    const only = (...allowed: readonly string[]): void => {
      for (const key of Object.keys(attributes))
        if (!allowed.includes(key)) this.#fault(node, `:::${name} has no attribute ${key}`);
    };
    switch (name) {
      case 'run':
      case 'predict':
      case 'compare': {
        only('id');
        const id = this.#mention(node, name, attributes['id']);
        if (name === 'run') this.#lastRun = id;
        return [{ t: name, id, c: this.#blocks(node.children) }];
      }
      case 'check': {
        only('ids');
        const ids = this.#mentionAll(node, 'check', attributes['ids'], 'ids');
        return [{ t: 'check', ids, c: this.#blocks(node.children) }];
      }
      case 'requests': {
        only('runs');
        if (node.children.length > 0) this.#fault(node, ':::requests has no text of its own');
        return [
          { t: 'requests', runs: this.#mentionAll(node, 'requests', attributes['runs'], 'runs') },
        ];
      }
      case 'reveal': {
        only('after');
        const after = this.#mention(node, 'reveal', attributes['after'], 'after');
        return [{ t: 'reveal', after, c: this.#blocks(node.children) }];
      }
      case 'terminal': {
        only('try');
        const command = attributes['try'] ?? '';
        if (!command.startsWith('docker '))
          this.#fault(node, ':::terminal needs try="docker …", a command to begin with');
        return [{ t: 'terminal', command, c: this.#blocks(node.children) }];
      }
      default:
        this.#fault(node, `:::${name} is not known; there are ${KNOWN}`);
        return [];
    }
  }

  #inlines(nodes: readonly PhrasingContent[]): readonly Inline[] {
    return nodes.flatMap((node) => this.#inline(node));
  }

  #inline(node: PhrasingContent): readonly Inline[] {
    switch (node.type) {
      case 'text':
        return [node.value];
      case 'break':
        return ['\n'];
      case 'inlineCode':
        return [{ t: 'code', text: node.value }];
      case 'emphasis':
        return [{ t: 'em', c: this.#inlines(node.children) }];
      case 'strong':
        return [{ t: 'strong', c: this.#inlines(node.children) }];
      case 'link':
        if (!/^https:\/\/|^http:\/\/127\.0\.0\.1:\d{4,5}\//.test(node.url))
          this.#fault(
            node,
            `a link must begin with https://, or lead to a container's port at http://127.0.0.1:PORT/: ${node.url}`,
          );
        return [{ t: 'link', href: node.url, c: this.#inlines(node.children) }];
      case 'textDirective':
        return this.#textDirective(node);
      case 'html':
        this.#fault(node, 'raw HTML is not allowed in a lesson');
        return [];
      default:
        this.#fault(node, `${node.type} has no place in a lesson`);
        return [];
    }
  }

  #textDirective(node: Extract<PhrasingContent, { type: 'textDirective' }>): readonly Inline[] {
    if (node.name === 'term') return this.#term(node);
    if (node.name !== 'step') {
      // `10:30` is no directive, but markdown cannot know.
      this.#fault(node, `:${node.name} is not known; write \\: for a plain colon`);
      return [];
    }
    const name = plain(node.children);
    const run = node.attributes?.['run'] ?? this.#lastRun;
    if (!run) this.#fault(node, ':step[…] needs a run before it, or {run=NAME}');
    else this.#mention(node, 'step', run, 'run');
    return [{ t: 'step', name, run: run ?? '' }];
  }

  /** `:term[shim]`, or `:term[shims]{of=shim}` where the sentence needs another form. */
  #term(node: Extract<PhrasingContent, { type: 'textDirective' }>): readonly Inline[] {
    const text = plain(node.children);
    const name = node.attributes?.['of'] ?? text;
    if (!this.#place.terms.has(name))
      this.#fault(node, `"${name}" does not stand in content/glossary.md`);
    return [{ t: 'term', name, text }];
  }

  /** `ids="one two"` */
  #mentionAll(
    node: Node,
    kind: Mention['kind'],
    list: string | null | undefined,
    attribute: string,
  ): readonly string[] {
    const ids = (list ?? '').split(' ').filter((id) => id !== '');
    if (ids.length === 0) this.#fault(node, `:::${kind} needs ${attribute}="…"`);
    for (const id of ids) this.#mention(node, kind, id);
    return ids;
  }

  #mention(
    node: Node | PhrasingContent,
    kind: Mention['kind'],
    id: string | null | undefined,
    attribute = 'id',
  ): string {
    if (!id) this.#fault(node, `:::${kind} needs {${attribute}=…}`);
    else this.#mentions.push({ kind, id, line: this.#lineOf(node) });
    return id ?? '';
  }

  #fault(node: Node | PhrasingContent, reason: string): void {
    this.#place.give(this.#lineOf(node), reason);
  }

  #lineOf(node: Node | PhrasingContent): number {
    return this.#place.firstLine + (node.position?.start.line ?? 1) - 1;
  }
}

/** The words alone. A placeholder such as {id} reads as an attribute where a directive's label ends, so it may not. */
const plain = (nodes: readonly PhrasingContent[]): string =>
  nodes
    .map((node) => ('value' in node ? node.value : 'children' in node ? plain(node.children) : ''))
    .join('');
