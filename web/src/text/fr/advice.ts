import type { Texts } from '../areas.ts';
import type en from '../en/advice.ts';

export default {
  a1_0: 'Cette adresse a un problème. Vérifiez-la.',
  a1_1: 'Cette boîte n’existe pas. Vérifiez la partie avant le @, ou demandez autrement la bonne adresse à la personne.',
  a1_2: 'Le domaine après le @ n’existe pas ou n’accepte pas de courrier. Vérifiez-le.',
  a1_3: 'L’adresse est mal écrite. Vérifiez-la.',
  a1_6: 'La personne a déménagé sans laisser d’adresse. Demandez-la autrement.',
  a1_7: 'Votre propre adresse n’a pas été acceptée comme expéditeur. Vérifiez-la dans votre logiciel, ou demandez à votre administrateur.',
  a1_8: 'L’autre serveur n’a pas pu vérifier le domaine de votre adresse. Votre administrateur devrait vérifier ses enregistrements DNS.',
  a1_10: 'Le domaine après le @ dit n’accepter aucun courrier. Vérifiez-le.',
  a2_0: 'Cette boîte a un problème. Dites-le autrement à son titulaire.',
  a2_1: 'La boîte est désactivée. Dites-le autrement à son titulaire.',
  a2_2: 'La boîte est pleine. Son titulaire doit faire de la place.',
  a2_3: 'Le message est plus gros que ce que cette boîte accepte. Envoyez moins, ou un lien vers un fichier.',
  a2_4: 'La liste de diffusion a un problème que son titulaire doit régler.',
  a3_1: 'L’autre serveur n’a plus de place. Seul son administrateur peut y remédier.',
  a3_2: 'L’autre serveur n’accepte pas de courrier pour le moment.',
  a3_4: 'Le message est plus gros que ce que l’autre serveur accepte. Envoyez moins, ou un lien vers un fichier.',
  a4_1: 'L’autre serveur n’a pas répondu. La faute est là-bas ou en chemin, pas chez vous.',
  a4_2: 'La connexion à l’autre serveur s’est coupée. La faute est là-bas ou en chemin, pas chez vous.',
  a4_3: 'Un annuaire nécessaire à la remise n’a pas répondu.',
  a4_4: 'Aucun serveur n’a été trouvé pour le domaine après le @. Vérifiez-le.',
  a4_5: 'L’autre serveur a plus de courrier qu’il ne peut traiter.',
  a4_6: 'Le message a tourné en rond entre serveurs, sans doute à cause d’adresses qui se renvoient l’une à l’autre. Dites-le à l’administrateur du domaine après le @.',
  a4_7: 'Le message n’a pas pu être remis dans le temps prévu. L’autre serveur était injoignable ou repoussait sans cesse.',
  a6_1: 'L’autre serveur n’accepte pas ce genre de message.',
  a6_3: 'Le message a une forme que l’autre serveur ne peut accepter, et ne peut être changé sans dommage. Envoyez-le en texte simple ou en pièce jointe.',
  a6_7: 'Une adresse de ce message a des lettres hors ASCII, que l’autre serveur ne sait pas traiter. Prenez une adresse simple, s’il y en a une.',
  a7_0: 'Le message a été refusé par les règles du serveur. Nous n’en savons pas plus que sa réponse.',
  a7_1: 'Vous ne pouvez pas écrire à cette adresse, ou le message a été refusé par les règles du serveur. Sa réponse dit peut-être pourquoi.',
  a7_2: 'Seuls les membres peuvent écrire à cette liste de diffusion.',
  a7_4: 'Le message demandait une protection que l’autre serveur n’offre pas.',
  a7_10: 'Une connexion chiffrée était exigée, mais impossible ; le message n’a donc pas été envoyé.',
  a7_20:
    'L’autre serveur veut du courrier signé (DKIM) et n’a pas accepté la signature. Dites-le à votre administrateur.',
  a7_23:
    'L’autre serveur ne nous a pas acceptés comme expéditeur de votre domaine (SPF). Dites-le à votre administrateur.',
  a7_25: 'L’autre serveur conteste le nom de notre adresse dans le DNS. Dites-le à votre administrateur.',
  a7_26:
    'L’autre serveur n’a pas pu vérifier que le message vient de votre domaine (SPF, DKIM). Dites-le à votre administrateur.',
  a7_27:
    'Le domaine de votre adresse n’accepte pas de courrier, donc l’autre serveur n’en accepte pas de lui. Dites-le à votre administrateur.',
  a7_30:
    'Le message exigeait une connexion chiffrée de bout en bout, que l’autre serveur n’offre pas ; il n’a donc pas été envoyé.',
  a3: 'L’autre serveur a lui-même un problème.',
  a4: 'L’autre serveur n’a pas pu être joint correctement. La faute est là-bas ou en chemin, pas chez vous.',
  a5: 'Les deux serveurs ne se sont pas compris. Dites-le à votre administrateur.',
  a6: 'L’autre serveur ne sait pas traiter la forme de ce message.',
  UNKNOWN: 'On n’en sait pas plus sur la cause.',
  DELAYED: 'Cela passe souvent tout seul.',
} satisfies Texts<typeof en>;
